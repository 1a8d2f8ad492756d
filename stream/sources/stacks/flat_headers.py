"""What `.raw`, `.dax`, `.npy` and `.spe` files say of the frames in them.

Picasso `.raw`: a YAML file of the same name (https://picassosr.readthedocs.io/en/latest/files.html).
storm-analysis `.dax`: a text file `.inf` of the same name, `frame dimensions = width x height`.
NumPy `.npy`: (t, y, x) in C order (numpy.lib.format).
Princeton Instruments `.spe` 2.x: a header of 4100 bytes (WinSpec manual, appendix "Data structure").
"""

from __future__ import annotations

import re
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.lib import format as npy

from stream.errors import FrameFormatError
from stream.sources.stacks.flat import FlatLayout, FlatStack
from stream.sources.stacks.stack import StackDetails

RAW_KEYS = ("Byte Order", "Data Type", "Frames", "Height", "Width")
SPE_BYTES, SPE_MAGIC = 4100, 0x01234567
SPE_DTYPES = {0: "<f4", 1: "<i4", 2: "<i2", 3: "<u2", 5: "<f8", 6: "u1", 8: "<u4"}


def open_raw(path: Path) -> FlatStack:
    """Return the stack of a Picasso `.raw` file. Raises FrameFormatError if its `.yaml` is missing or incomplete."""
    sidecar = path.with_suffix(".yaml")
    try:
        info = next(yaml.safe_load_all(_text_beside(path, sidecar)), None)
    except yaml.YAMLError as error:
        raise _bad_sidecar(sidecar, f"not YAML: {error}") from error
    if not isinstance(info, dict) or not set(RAW_KEYS) <= info.keys():
        raise _bad_sidecar(sidecar, f"has {sorted(info) if isinstance(info, dict) else info!r}")
    try:
        dtype = np.dtype(str(info["Data Type"])).newbyteorder(info["Byte Order"])
        frames, height_px, width_px = (int(info[key]) for key in ("Frames", "Height", "Width"))
    except (TypeError, ValueError) as error:
        raise _bad_sidecar(sidecar, str(error)) from error
    pixel_size = info.get("Pixelsize", info.get("Camera.Pixelsize"))
    pixel_size_nm = float(pixel_size) if isinstance(pixel_size, int | float) else nan
    return _stack(path, 0, dtype, (frames, height_px, width_px), pixel_size_nm=pixel_size_nm)


def open_dax(path: Path) -> FlatStack:
    """Return the stack of a storm-analysis `.dax` file.

    Raises FrameFormatError if its `.inf` is missing or incomplete.
    """
    sidecar = path.with_suffix(".inf")
    text = _text_beside(path, sidecar)
    size = re.search(r"^frame dimensions\s*=\s*(\d+)\s*x\s*(\d+)", text, re.MULTILINE)
    count = re.search(r"^number of frames\s*=\s*(\d+)", text, re.MULTILINE)
    endian = re.search(r"^data type\s*=\s*16 bit integers.*\b(big|little) endian", text, re.MULTILINE)
    if size is None or count is None or endian is None:
        raise _bad_sidecar(sidecar, "lacks one of its lines")
    dtype = np.dtype(">u2" if endian[1] == "big" else "<u2")
    return _stack(path, 0, dtype, (int(count[1]), int(size[2]), int(size[1])))


def open_npy(path: Path) -> FlatStack:
    """Return the stack of a `.npy` file. Raises FrameFormatError unless it holds (t, y, x) in C order."""
    try:
        with path.open("rb") as file:
            read = npy.read_array_header_1_0 if npy.read_magic(file) == (1, 0) else npy.read_array_header_2_0
            shape, fortran, dtype = read(file)
            offset = file.tell()
    except ValueError as error:
        raise FrameFormatError(
            f"{path.name} is not a NumPy file: {error}", remedy="write it with numpy.save"
        ) from error
    if len(shape) != 3 or fortran:
        raise FrameFormatError(
            f"{path.name} holds an array of shape {shape}{' in Fortran order' if fortran else ''}",
            limit="accepted: (t, y, x) in C order",
            remedy="numpy.save(path, numpy.ascontiguousarray(stack))",
        )
    return _stack(path, offset, dtype, shape)


def open_spe(path: Path) -> FlatStack:
    """Return the stack of an `.spe` 2.x file. Raises FrameFormatError if it is another version or no SPE file."""
    with path.open("rb") as file:
        header = file.read(SPE_BYTES)

    def value(offset: int, dtype: str) -> Any:
        return np.frombuffer(header, dtype, 1, offset)[0].item()

    if len(header) < SPE_BYTES or value(2996, "<u4") != SPE_MAGIC:
        raise FrameFormatError(f"{path.name} is not an SPE file", limit=f"a header of {SPE_BYTES} bytes with its mark")
    if value(1992, "<f4") >= 3 or value(1510, "<i2") > 1 or value(108, "<i2") not in SPE_DTYPES:
        raise FrameFormatError(
            f"{path.name} is SPE {value(1992, '<f4'):g}, {value(1510, '<i2')} regions, data type {value(108, '<i2')}",
            limit="accepted: SPE 2.x with one region of interest",
            remedy="export it from LightField as SPE 2.x or as TIFF",
        )
    shape = value(1446, "<i4"), value(656, "<u2"), value(42, "<u2")
    exposure_ms = 1000 * value(10, "<f4") or nan
    return _stack(path, SPE_BYTES, np.dtype(SPE_DTYPES[value(108, "<i2")]), shape, exposure_ms=exposure_ms)


def _stack(
    path: Path, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...],
    exposure_ms: float = nan, pixel_size_nm: float = nan,
) -> FlatStack:  # fmt: skip
    frames, height_px, width_px = shape
    if min(shape) < 1:
        raise FrameFormatError(f"{path.name} states a shape (t, y, x) of {shape}", limit="at least one frame and pixel")
    layout = FlatLayout(offset, dtype, frames, height_px, width_px)
    held = (path.stat().st_size - offset) // layout.frame_bytes
    more = f", the first {frames} of {held} frames as its header says" if held > frames else ""
    details = StackDetails(
        height_px, width_px, frames,
        exposure_ms=exposure_ms, pixel_size_nm=pixel_size_nm, description=path.name + more,
    )  # fmt: skip
    return FlatStack(path, layout, details)


def _text_beside(path: Path, sidecar: Path) -> str:
    if not sidecar.is_file():
        raise FrameFormatError(
            f"{path.name} needs {sidecar.name} beside it: there is no such file in {path.parent}",
            limit=_SIDECAR_LIMIT[sidecar.suffix],
            remedy="copy it from where the stack was recorded, or write it",
        )
    return sidecar.read_text(encoding="utf-8", errors="replace")


def _bad_sidecar(sidecar: Path, what: str) -> FrameFormatError:
    return FrameFormatError(
        f"{sidecar.name}: {what}", limit=_SIDECAR_LIMIT[sidecar.suffix], remedy="add what is missing"
    )


_SIDECAR_LIMIT = {
    ".yaml": f"it must give {', '.join(RAW_KEYS)}, for example '<', uint16, 1000, 256, 256",
    ".inf": "it must give 'data type = 16 bit integers (binary, little endian)', 'frame dimensions = 256 x 256' "
    "(width x height) and 'number of frames = 1000'",
}
