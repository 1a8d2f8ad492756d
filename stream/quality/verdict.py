"""What is said of positions in pixels and of the resolution, in words."""

from __future__ import annotations

from typing import Any

from stream.quality.frc import THRESHOLD, Curve
from stream.quality.half_images import Halves
from stream.quality.settings import ResolutionSettings
from stream.quality.subpixel import Axis

CAUSES = {
    "pixel centres": "an artefact of a localizer that cannot tell where in the pixel dim molecules are, or of spots "
    "narrower than it takes them to be",
    "pixel borders": "an artefact of spots wider than the localizer takes them to be, or of molecules found twice",
}
OTHERWISE = "an artefact of a spot or a camera that is not what the localizer takes it to be"
REMEDY = "use a model for these spots and this light, compare pixel size and camera maps, or set [refine]"


def of_places(axes: tuple[Axis, Axis] | None, pixel_size_nm: float) -> dict[str, Any]:
    """Return the part `subpixel` of the header: shares of x and y, whether they are flat, and what that means."""
    if axes is None:
        return {"x": None, "y": None, "verdict": "too few places in the field hold a localization yet", "flat": None}
    x, y = axes
    shares = {"x": [round(float(s), 5) for s in x.shares], "y": [round(float(s), 5) for s in y.shares]}
    uneven = [(name, axis) for name, axis in (("x", x), ("y", y)) if not axis.flat]
    if not uneven:
        return {**shares, "verdict": "positions do not gather anywhere in the pixels", "flat": True}
    said = [
        f"{name} positions gather at {axis.where}, pulled by up to {axis.pull_px * pixel_size_nm:.2g} nm"
        for name, axis in uneven
    ]
    causes = dict.fromkeys(CAUSES.get(axis.where, OTHERWISE) for _, axis in uneven)
    return {**shares, "verdict": f"{'; '.join(said)}: {'; '.join(causes)}; {REMEDY}", "flat": False}


def of_resolution(halves: Halves | None, curve: Curve | None, least_rows: int, settings: ResolutionSettings) -> str:
    """Return what must be known beside the number, or why there is none."""
    block = settings.block_frames
    if halves is None or min(halves.rows) < least_rows:
        rows = (0, 0) if halves is None else halves.rows
        return (
            f"no resolution yet: halves of {rows[0]} and {rows[1]} localizations, at least {least_rows} are needed; "
            f"the second begins with frame {block // 2}"
        )
    if curve is None:
        return f"the field is too small: less than a picture of {settings.pixel_nm:g} nm pixels that has rings"
    said = [_of_number(curve, settings.pixel_nm), _of_region(halves)]
    said.append(
        f"halves are blocks of {block} frames by turns: molecules that blink again in another block look like "
        "structure, so it is too optimistic where they do; drift that is not corrected blurs both halves"
    )
    return "; ".join(part for part in said if part)


def _of_number(curve: Curve, pixel_nm: float) -> str:
    if curve.resolution_nm is not None:
        return ""
    if curve.agrees_throughout:
        return f"finer than two pixels of {pixel_nm:g} nm: set a smaller [resolution] pixel_nm"
    return f"no resolution: the halves do not agree above {THRESHOLD:.3f}, there is too little in common yet"


def _of_region(halves: Halves) -> str:
    x, y, width, height = (length / 1000 for length in halves.region.nm)
    beads = f"{halves.beads} places that are lit in most frames are left out" if halves.beads else ""
    if halves.region.whole:
        return beads
    where = f"of the densest {width:.3g} x {height:.3g} um at x = {x:.4g}, y = {y:.4g} um"
    return f"{where}; {beads}" if beads else where
