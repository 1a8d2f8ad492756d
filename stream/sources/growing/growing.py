"""A dataset that another program still writes: what each format gives to `follow`, and which format a folder holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from stream.errors import FrameFormatError
from stream.frame import Frame
from stream.sources.stacks.ndtiff_index import NDTIFF_FILE, Axes
from stream.sources.stacks.stack import StackDetails


class Growing(Protocol):
    """A dataset that grows."""

    @property
    def unfinished(self) -> str:
        """What is half on the disk and holds up all that follows; "" if nothing does."""

    @property
    def refused(self) -> Mapping[str, int]:
        """Number of files that were turned away, by reason; grows while frames are taken."""

    def begin(self, enough: bool) -> StackDetails | None:
        """Return what is known of the frames; None while too little is there to tell how they are numbered.

        Parameters
        ----------
        enough : bool
            What is there must do: nothing came for a long time.

        Raises
        ------
        FrameFormatError
            What is there cannot be used.
        """

    def look(self) -> Iterator[Frame]:
        """Yield the frames that have come since the last look, in order.

        Raises
        ------
        FrameFormatError
            What follows is damaged, or not like the frames before.
        """

    def closed(self) -> bool:
        """Return True if the writer has closed the dataset, as far as the format tells, and every frame was yielded."""

    def close(self) -> None:
        """Close what is open. May be called more than once."""


def growing(path: Path, axes: Axes) -> Growing | None:
    """Return the dataset in the folder; None while nothing there tells its format.

    Raises
    ------
    FrameFormatError
        Axes are picked, and the format has none.
    """
    from stream.sources.growing.ndtiff import GrowingNdTiff
    from stream.sources.growing.tiff_folder import GrowingTiffs
    from stream.sources.stacks.ndtiff import ndtiff_folder

    if not path.is_dir():
        return None
    folder = ndtiff_folder(path)
    if folder is not None:
        return GrowingNdTiff(folder, axes, path.name)
    files = GrowingTiffs(path)
    if any(NDTIFF_FILE in name for name in files.names()) or not files.names():
        return None
    if axes:
        raise FrameFormatError(
            f"[source] axes = {dict(axes)}, but {path} holds TIFF files, among them {files.names()[0]}",
            limit="axes are picked in an NDTiff dataset",
            remedy="leave axes out, or let each channel be written into a folder of its own",
        )
    return files
