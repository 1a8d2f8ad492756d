"""`livesmlm calibrate-camera`: dark frames and frames in even light -> the maps that `[camera] maps` reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from models.camera_maps import CameraMaps, camera_maps
from models.photon_transfer import Series, Transfer, fit, summarize
from stream.commands.console import ERR
from stream.errors import FrameFormatError, InputError, OutputError
from stream.frame import UInt16Array
from stream.sinks.storage import creating
from stream.sources.replay import ReplaySettings, ReplaySource

FEW_FRAMES = 200
UNSTEADY = 0.01
CROOKED = 1.5


def calibrate(
    dark: Sequence[Path], bright: Sequence[Path], base_gain_e_per_adu: float | None, bit_depth: int
) -> tuple[CameraMaps, Transfer, list[str]]:
    """Return maps, the photon transfer behind them, and what is doubtful.

    Parameters
    ----------
    dark : sequence of Path
        Stacks without light, at the exposure that is used later; they count as one series.
    bright : sequence of Path
        Stacks in even, steady light, one level each.
    base_gain_e_per_adu : float or None
        Of an EMCCD: electrons per count at EM gain 1.
    bit_depth : int

    Raises
    ------
    FrameFormatError
        A stack cannot be read.
    InputError
        Series that do not belong together, light that saturates or is no light.
    """
    try:
        darkness = summarize(_frames(dark))
        levels = [summarize(_frames([path])) for path in bright]
        for path, series in zip((dark[0], *bright), (darkness, *levels), strict=True):
            _refuse_saturated(path, series, bit_depth)
        transfer = fit(darkness, levels)
    except ValueError as error:
        raise InputError(
            f"camera cannot be calibrated: {error}",
            remedy="record the dark with the shutter closed, and 3 or more levels of even light; 200 frames of each",
        ) from error
    maps = camera_maps(transfer, base_gain_e_per_adu)
    return maps, transfer, _doubts(darkness, levels, transfer, maps, bright)


def save(maps: CameraMaps, path: Path) -> None:
    """Write the archive that `[camera] maps` reads. Raises OutputError if the file exists or cannot be made."""
    if path.suffix != ".npz":
        raise OutputError(
            f"maps are written to {path}", limit="an .npz file", remedy=f"--out {path.with_suffix('.npz')}"
        )
    with creating(path), path.open("xb") as file:
        np.savez_compressed(
            file, offset_adu=maps.offset_adu.astype("f4"), gain_e_per_adu=maps.gain_e_per_adu.astype("f4"),
            read_noise_e=maps.read_noise_e.astype("f4"), hot=maps.hot, gain_error=maps.gain_error.astype("f4"),
        )  # fmt: skip


def in_terminal(
    dark: Sequence[Path], bright: Sequence[Path], out: Path, base_gain: float | None, bit_depth: int, as_json: bool
) -> int:
    """Calibrate, write, and print what was found; returns the exit code."""
    maps, transfer, doubts = calibrate(dark, bright, base_gain, bit_depth)
    save(maps, out)
    found = facts(maps, transfer)
    if as_json:
        Console().print_json(data=found | {"maps": str(out), "warnings": doubts})
        return 0
    table = Table.grid(padding=(0, 2))
    for name, value in found.items():
        table.add_row(f"[dim]{name}[/]", f"{value:.4g}" if isinstance(value, float) else str(value))
    Console().print(table)
    Console().print(f'\n[dim]rig.toml:[/]\n\\[camera]\nmaps = "{escape(str(out))}"', highlight=False)
    if maps.em_gain != 1:
        Console().print(f"em_gain = {maps.em_gain:.1f}", highlight=False)
    for doubt in doubts:
        ERR.print(f"[yellow]warning:[/] {escape(doubt)}", highlight=False)
    return 0


def facts(maps: CameraMaps, transfer: Transfer) -> dict[str, Any]:
    """Return the numbers that people look at: medians over the pixels that can be trusted."""
    good = ~maps.hot if not maps.hot.all() else maps.hot
    quality = transfer.chi2_per_dof[good]
    return {
        "pixels": list(maps.hot.shape),
        "offset_adu": float(np.median(maps.offset_adu[good])),
        "gain_e_per_adu": float(np.median(maps.gain_e_per_adu[good])),
        "gain_error_percent_per_pixel": 100 * float(np.nanmedian(maps.gain_error)),
        "gain_is_a_map": maps.gain_is_a_map,
        "em_gain": maps.em_gain,
        "read_noise_e": float(np.median(maps.read_noise_e[good])),
        "hot_pixels": int(maps.hot.sum()),
        "chi2_of_the_straight_line": None if np.isnan(quality).all() else float(np.nanmedian(quality)),
    }


def _frames(paths: Sequence[Path]) -> Iterator[UInt16Array]:
    for path in paths:
        source = ReplaySource(ReplaySettings(path=path))
        source.open()
        try:
            yield from (frame.pixels for frame in source.frames() if frame is not None)
        finally:
            source.close()


def _refuse_saturated(path: Path, series: Series, bit_depth: int) -> None:
    share = float(series.clipped(bit_depth).mean())
    if share > UNSTEADY:
        raise FrameFormatError(
            f"{path}: {100 * share:.1f} % of the pixels reach the end of the scale, {series.highest_adu.max():.0f} ADU",
            limit="clipped counts have too little variance: the gain would come out wrong",
            remedy="take less light or a shorter exposure",
        )


def _doubts(
    dark: Series, levels: Sequence[Series], transfer: Transfer, maps: CameraMaps, bright: Sequence[Path]
) -> list[str]:
    found = [
        f"{name}: {series.frames} frames give a pixel's variance to {100 * (2 / series.frames) ** 0.5:.0f} % only; "
        f"record {FEW_FRAMES} or more"
        for name, series in zip(("dark", *map(str, bright)), (dark, *levels), strict=True)
        if series.frames < FEW_FRAMES
    ]
    for path, lamp in zip(bright, transfer.lamps, strict=True):
        if abs(lamp.drift) > UNSTEADY:
            found.append(f"{path}: the light drifts by {100 * lamp.drift:+.1f} %; let the lamp warm up")
        if lamp.share > 0.1:
            found.append(f"{path}: {100 * lamp.share:.0f} % of the variance is the lamp's flicker; it was taken out")
    quality = np.nanmedian(transfer.chi2_per_dof) if len(levels) > 1 else 1.0
    if quality > CROOKED:
        found.append(f"variance is no straight line in the mean (chi2 {quality:.1f}): is the camera linear?")
    if not maps.gain_is_a_map and maps.em_gain == 1:
        found.append("the pixels' gains differ by no more than they were measured: all get the median")
    return found
