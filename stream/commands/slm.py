"""`livesmlm slm`: a mask becomes the image of a spatial light modulator, in a file or on the device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from rich.console import Console

from models.masks.calibration import Calibration
from models.masks.file import MASK, MaskFile
from models.masks.panel import Panel, PhaseAt, pattern, phase_of
from models.optics import phase_masks
from models.scenes.optics import MASKS
from stream.config import Rig
from stream.errors import InputError, OutputError, RigError
from stream.sinks.storage import creating
from stream.slm.settings import SlmSettings
from stream.sources.micro_manager.links import open_link
from stream.sources.micro_manager.modulator import show
from stream.sources.micro_manager.settings import MicroManagerSettings

Image = NDArray[np.uint8 | np.uint16]


def in_terminal(
    mask: str, rig: Rig, out: Path | None, wavelength_nm: float | None, wrap: bool, shown: bool
) -> int:  # fmt: skip
    """Write the image, show it, print what was done; returns the exit code.

    Parameters
    ----------
    mask : str
        A file that ends in `mask.npz`; or a mask by name, or another file of a mask, with `wavelength_nm`.
    rig : Rig
        With `[slm]`; and with Micro-Manager as its source if the image is to be shown.
    out : Path or None
        A .png or .tif to write.
    wavelength_nm : float or None
    wrap, shown : bool

    Raises
    ------
    InputError
        Nothing to do, no such mask, or it cannot be shown on this modulator.
    DeviceFault, SourceFault
        The device does not take it.
    """
    if out is None and not shown:
        raise InputError("nothing to do", remedy="name a file with --out, or --show it on the device")
    if out is not None and out.suffix not in (".png", ".tif", ".tiff"):
        raise OutputError(f"--out {out}", limit="an image: .png, .tif")
    phase, at_nm = _phase(mask, wavelength_nm)
    try:
        table = _calibration(rig.slm, at_nm)
        image = pattern(phase, at_nm, panel_of(rig.slm), table, wrap)
    except ValueError as error:
        raise InputError(f"mask {mask}: {error}") from error
    _say(image, table, at_nm)
    if out is not None:
        _write(out, image)
        Console().print(
            f"{out}: {image.shape[1]} x {image.shape[0]} pixels of {8 * image.dtype.itemsize} bits", soft_wrap=True
        )
    if shown:
        Console().print(f"{_show(rig, image)} shows it")
    return 0


def panel_of(slm: SlmSettings) -> Panel:
    """Return the panel of a rig. Raises RigError if the rig does not say how large it and the pupil are."""
    if slm.width_px is None or slm.height_px is None or slm.pupil_px is None:
        missing = [name for name in ("width_px", "height_px", "pupil_px") if getattr(slm, name) is None]
        raise RigError(
            f"[slm] {', '.join(missing)} not given", limit="panel and pupil in pixels of the modulator",
            remedy="state them: where the pupil lies on the panel is measured, not guessed",
        )  # fmt: skip
    middle = slm.width_px / 2, slm.height_px / 2
    return Panel(slm.width_px, slm.height_px, slm.bits, slm.centre_px or middle, slm.pupil_px, slm.mirrored)


def _calibration(slm: SlmSettings, wavelength_nm: float) -> Calibration:
    if slm.calibration is None:
        return Calibration.linear(slm.bits, slm.stroke_rad, wavelength_nm)
    return Calibration.read(slm.calibration)


def _phase(mask: str, wavelength_nm: float | None) -> tuple[PhaseAt, float]:
    """Return the phase of a mask, and the wavelength that it is for."""
    try:
        if mask.endswith(MASK):
            return _learned(Path(mask), wavelength_nm)
        transmission = MASKS.get(mask) or phase_masks.read(Path(mask))
    except ValueError as error:
        raise InputError(
            str(error), limit=f"masks by name: {', '.join(name for name in MASKS if MASKS[name])}"
        ) from error
    if wavelength_nm is None:
        raise InputError(f"mask {mask} is stated for no wavelength", remedy="add --wavelength-nm, of the emission")
    return lambda x, y: np.mod(np.angle(transmission(x, y)), 2 * np.pi), wavelength_nm


def _learned(path: Path, wavelength_nm: float | None) -> tuple[PhaseAt, float]:
    stored = MaskFile.load(path)
    if wavelength_nm not in (None, stored.wavelength_nm):
        raise InputError(
            f"--wavelength-nm {wavelength_nm:g}: the phases of {path} are for {stored.wavelength_nm:g} nm",
            remedy="leave it out: what other colours see follows from the modulator",
        )
    return phase_of(stored), stored.wavelength_nm


def _say(image: Image, table: Calibration, wavelength_nm: float) -> None:
    strokes = ", ".join(f"{table.stroke_rad(one):.2f} rad at {one:g} nm" for one in table.wavelengths_nm)
    Console().print(
        f"for {wavelength_nm:g} nm: grey levels {image.min()} to {image.max()}; stroke {strokes}",
        highlight=False,
        soft_wrap=True,
    )


def _write(out: Path, image: Image) -> None:
    with creating(out), out.open("xb") as file:
        if out.suffix == ".png":
            from imagecodecs import png_encode

            file.write(png_encode(image))
        else:
            tifffile.imwrite(file, image)


def _show(rig: Rig, image: Image) -> str:
    """Show the image on the device of the rig's Micro-Manager; returns its name."""
    if not isinstance(rig.source, MicroManagerSettings):
        raise RigError("[source] is not micromanager", limit="only Micro-Manager's modulators are spoken to",
                       remedy="write a file with --out, and show it with the maker's program")  # fmt: skip
    link = open_link(rig.source)
    try:
        return link.call(lambda core: show(core, image, rig.slm.device))
    finally:
        link.close()
