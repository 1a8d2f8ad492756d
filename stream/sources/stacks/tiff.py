"""TIFF, BigTIFF and OME-TIFF stacks of one or many files, read page by page."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from itertools import count, islice
from pathlib import Path

from tifffile import TiffFile

from stream.errors import FrameFormatError
from stream.frame import Frame, UInt16Array
from stream.sources.stacks.flat import FlatLayout, read_flat
from stream.sources.stacks.stack import StackDetails, check_dtype, damaged
from stream.sources.stacks.tiff_chain import directories, directory, opened, reachable, read_page
from stream.sources.stacks.tiff_metadata import Stated, stated
from stream.sources.stacks.tiff_ome import OmeImage, Part, more_than_one_channel, read_ome

COUNTED_BYTES = 4 * 2**30
"""Up to this size pages are counted where no metadata states their number: it costs a disk access per page."""


class TiffStack:
    """Pages of one or more TIFF files as frames."""

    def __init__(self, parts: Sequence[Part], details: StackDetails) -> None:
        self._parts, self.details = parts, details

    def frames(self) -> Generator[Frame, None, None]:
        """Yield the frames."""
        following = 0
        for part in self._parts:
            first = following if part.first_index is None else part.first_index
            for position, pixels in enumerate(read_part(part)):
                following = first + position + 1
                yield Frame(pixels, first + position)


def open_tiff(path: Path) -> TiffStack:
    """Return the stack of a TIFF file and those that continue it, or of a folder of TIFF files in natural order.

    Raises
    ------
    FrameFormatError
        Not TIFF, a file of the set is missing, more than one channel, or the first page is not a camera frame.
    """
    if path.is_dir():
        return _stack([Part(file) for file in _files_in(path)], path, OmeImage())
    with opened(path) as file:
        xml = file.ome_metadata if file.is_ome else None
    if xml is None:
        return _stack([Part(file) for file in _continued(path)], path, OmeImage())
    image = read_ome(xml, path)
    if image.master is not None and image.master != path:
        _check_there([image.master], path)
        return open_tiff(image.master)
    parts = image.parts or [Part(path)]
    _check_there([part.path for part in parts], path)
    return _stack(parts, path, image)


def open_file(path: Path) -> TiffStack:
    """Return the stack of this file alone, whatever its name or its OME-XML says of others; raises as `open_tiff`."""
    return _stack([Part(path)], path, OmeImage())


def _stack(parts: Sequence[Part], path: Path, image: OmeImage) -> TiffStack:
    with opened(parts[0].path) as file:
        said = stated(file, parts[0].path)
        first = directory(file, parts[0].path, 0, next(directories(file, parts[0].path)))
    if said.channels > 1:
        raise more_than_one_channel(path, said.channels)
    check_dtype(first.dtype or "V1", f"{parts[0].path.name}, page 0")
    names = list(dict.fromkeys(part.path.name for part in parts))
    details = StackDetails(
        height_px=first.imagelength,
        width_px=first.imagewidth,
        frames=_count(parts),
        interval_s=_first_known(image.interval_s, said.interval_s),
        exposure_ms=_first_known(image.exposure_ms, said.exposure_ms),
        pixel_size_nm=_first_known(image.pixel_size_nm, said.pixel_size_nm),
        description=names[0] if len(names) == 1 else f"{names[0]} to {names[-1]} ({len(names)} files)",
    )
    return TiffStack(parts, details)


def _first_known(one: float, other: float) -> float:
    return other if one != one else one  # nan is not itself


def read_part(part: Part) -> Iterator[UInt16Array]:
    """Yield the (y, x) pixels of its pages.

    Raises
    ------
    FrameFormatError
        The file is damaged or ends too early, or a page is not a camera frame.
    """
    with opened(part.path) as file:
        said = stated(file, part.path)
        layout = _single_directory(file, part.path, said)
        if layout is not None:
            with part.path.open("rb") as plain:
                yield from islice(read_flat(plain, part.path, layout), part.first_page, None)
            return
        offsets = enumerate(directories(file, part.path))
        end = said.frames if part.pages is None else part.first_page + part.pages
        page = part.first_page - 1
        for page, offset in islice(offsets, part.first_page, None if part.pages is None else end):
            yield read_page(file, part.path, page, offset)
        if end is not None and page + 1 < end:
            raise damaged(part.path, page + 1, f"it ends there, but states {end} pages")


def _single_directory(file: TiffFile, path: Path, said: Stated) -> FlatLayout | None:
    """Return the layout where one directory stands for many frames: ImageJ writes stacks above 4 GB so."""
    first = file.pages.first
    if said.frames is None or said.frames == 1 or not first.is_contiguous or first.dtype is None:
        return None
    if not _ends_after_first(file, path):
        return None
    dtype = first.dtype.newbyteorder(file.byteorder)
    return FlatLayout(first.dataoffsets[0], dtype, said.frames, first.imagelength, first.imagewidth)


def _ends_after_first(file: TiffFile, path: Path) -> bool:
    try:
        return len(list(islice(directories(file, path), 2))) == 1
    except FrameFormatError:  # a broken link is not an end
        return False


def _count(parts: Sequence[Part]) -> int | None:
    counts = [part.pages for part in parts if part.pages is not None]
    if len(counts) == len(parts):
        return sum(counts)
    if sum(part.path.stat().st_size for part in parts) > COUNTED_BYTES:
        return None
    total = 0
    for part in parts:
        with opened(part.path) as file:
            total += max(stated(file, part.path).frames or 0, sum(1 for _ in reachable(file, part.path)))
    return total


def _check_there(paths: Sequence[Path], named_in: Path) -> None:
    missing = sorted({path.name for path in paths if not path.is_file()})
    if missing:
        raise FrameFormatError(
            f"{named_in.name} is one file of a set of which {', '.join(missing)} is missing in {named_in.parent}",
            limit="all files of an OME-TIFF set must lie together, under the names they were written with",
            remedy="copy the missing files there",
        )


def _continued(path: Path) -> Iterator[Path]:
    """Yield `stack.tif`, `stack_1.tif`, `stack_2.tif`, ... as far as they exist.

    Decision: followed without being asked. Context: Micro-Manager, NDTiff and Andor begin a new file every 4 GB, and
    a user names the first. Consequence: the description that is printed and recorded tells how many files are read.
    """
    yield path
    stem, ending = re.fullmatch(r"(.+?)((?:\.ome)?\.[^.]+)", path.name, re.DOTALL | re.IGNORECASE).groups()  # type: ignore[union-attr]
    for number in count(1):
        following = path.with_name(f"{stem}_{number}{ending}")
        if not following.is_file():
            return
        yield following


def is_tiff(name: str) -> bool:
    """Return True for the name of a TIFF file."""
    return name.lower().endswith((".tif", ".tiff"))


def _files_in(folder: Path) -> list[Path]:
    files = [entry for entry in folder.iterdir() if is_tiff(entry.name)]
    if not files:
        raise FrameFormatError(
            f"the folder {folder} holds no TIFF file, among {len(list(folder.iterdir()))} entries",
            limit="accepted: a folder with .tif or .tiff files",
            remedy="name the file itself",
        )
    return sorted(files, key=lambda path: natural(path.name))


def natural(name: str) -> list[tuple[int, str]]:
    """Return the sort key under which img_2 comes before img_10."""
    return [(int(digits or -1), text.lower()) for text, digits in re.findall(r"(\D*)(\d*)", name)]
