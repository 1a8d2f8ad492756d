"""OME-XML of a TIFF file: which page of which file is which frame (https://docs.openmicroscopy.org, OME-TIFF)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from io import BytesIO
from math import nan
from pathlib import Path
from xml.etree import ElementTree

from stream.errors import FrameFormatError
from stream.sources.stacks.tiff_metadata import UNIT_NM

UNIT_S = {"s": 1.0, "ms": 1e-3, "\xb5s": 1e-6, "\u03bcs": 1e-6, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True)
class Part:
    """Pages of one file that follow each other, as frames that follow each other.

    Parameters
    ----------
    path : Path
    first_page : int
        Position in the file, 0-based.
    pages : int or None
        None: all that there are.
    first_index : int or None
        Index of the frame on the first page; None: one more than the last frame before.
    """

    path: Path
    first_page: int = 0
    pages: int | None = None
    first_index: int | None = None


@dataclass(slots=True)
class OmeImage:
    """The first image of an OME-XML document; nan where it does not state a value."""

    sizes: dict[str, int] = field(default_factory=dict)
    order: str = "XYZCT"
    parts: list[Part] = field(default_factory=list)
    master: Path | None = None
    interval_s: float = nan
    exposure_ms: float = nan
    pixel_size_nm: float = nan


def read_ome(xml: str, path: Path) -> OmeImage:
    """Return the image that the document in `path` describes; only `master` where it says to look in another file.

    Raises
    ------
    FrameFormatError
        The document cannot be read, or there is more than one channel.
    """
    image, images = OmeImage(), 0
    try:
        for event, element in ElementTree.iterparse(BytesIO(xml.encode()), ("start", "end")):
            name = element.tag.rpartition("}")[2]
            images += name == "Image" and event == "start"
            if images > 1:  # further images are other stage positions, or a label picture
                break
            if name == "BinaryOnly":
                image.master = path.parent / element.attrib["MetadataFile"]
            elif name == "Pixels" and event == "start":
                _pixels(image, element)
            elif name == "TiffData" and event == "end":
                _tiff_data(image, element, path)
                element.clear()  # a long stack has one element per frame
            elif name == "Plane" and event == "end":
                _plane(image, element)
                element.clear()
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise FrameFormatError(
            f"the OME-XML of {path.name} cannot be read: {error!r}",
            limit="OME-XML as written by Bio-Formats, Micro-Manager or tifffile",
            remedy="save the stack as plain TIFF",
        ) from error
    if image.sizes.get("C", 1) > 1:
        raise more_than_one_channel(path, image.sizes["C"])
    return image


def more_than_one_channel(path: Path, channels: int) -> FrameFormatError:
    """Return the error for a stack that mixes channels."""
    return FrameFormatError(
        f"{path.name} has {channels} channels",
        limit="accepted: one channel",
        remedy="split the channels, for example with Fiji, and replay the one with the molecules",
    )


def _pixels(image: OmeImage, element: ElementTree.Element) -> None:
    get = element.attrib.get
    image.sizes = {axis: int(element.attrib[f"Size{axis}"]) for axis in "ZCT"}
    image.order = element.attrib["DimensionOrder"]
    image.interval_s = float(get("TimeIncrement", nan)) * UNIT_S.get(get("TimeIncrementUnit", "s"), nan)
    image.pixel_size_nm = float(get("PhysicalSizeX", nan)) * UNIT_NM.get(get("PhysicalSizeXUnit", "\xb5m"), nan)


def _plane(image: OmeImage, element: ElementTree.Element) -> None:
    if all(element.get(f"The{axis}") == "0" for axis in "ZCT"):
        unit = UNIT_S.get(element.get("ExposureTimeUnit", "s"), nan)
        image.exposure_ms = float(element.get("ExposureTime", nan)) * unit * 1000


def _tiff_data(image: OmeImage, element: ElementTree.Element, path: Path) -> None:
    index, stride = 0, 1
    for axis in image.order[2:]:
        index += stride * int(element.get(f"First{axis}", 0))
        stride *= image.sizes[axis]
    name = next((child.get("FileName") for child in element if child.tag.endswith("UUID")), None)
    everything = "IFD" not in element.attrib and "PlaneCount" not in element.attrib
    pages = stride if everything else int(element.get("PlaneCount", 1))
    _append(image.parts, Part(path.parent / name if name else path, int(element.get("IFD", 0)), pages, index))


def _append(parts: list[Part], part: Part) -> None:
    """Join the part to the last one where it continues it: a long stack stays a few parts."""
    last = parts[-1] if parts else None
    if last is None or last.pages is None or last.first_index is None or part.pages is None:
        parts.append(part)
    elif (part.path, part.first_page, part.first_index) == (
        last.path, last.first_page + last.pages, last.first_index + last.pages
    ):  # fmt: skip
        parts[-1] = replace(last, pages=last.pages + part.pages)
    else:
        parts.append(part)
