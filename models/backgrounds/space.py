"""What networks for the background are trained on: the spots of a localizer, one in each crop, on structured light."""

from __future__ import annotations

from models import psf
from models.sample_space import Range, SampleSpace

CROP_PX = {psf.IN_FOCUS: 12, "tetrapod": 40}
"""Edge of a crop by PSF, as published for 100 nm pixels: open aperture, tetrapod; others `USUAL_PX`."""
USUAL_PX = 20
LEAST = 0.3
"""Counts per pixel; what is darker is taken for this where something is divided by it."""
CROPS: dict[str, Range | float] = {
    "background_contrast": Range(0, 0.7),  # standard deviation over the mean, in the neighbourhood
    "background_period_px": Range(4, 60, "log-uniform"),  # of the coarsest structure; a second one is half as coarse
    "offset_px": Range(-1, 1),  # of the molecule from the middle of the crop, in x and in y
    "second_share": 0.15,  # of the crops with somebody else's light
}  # fmt: skip
"""Beside the ranges of a localizer for the same PSF."""


def background_space(name: str) -> SampleSpace:
    """Return the sample space for a PSF by name or file; raises ValueError if there is none."""
    space = psf.default_space(name)
    low = max(space["background_e"].low, 1.0)
    return space.changed(**CROPS).changed(background_e=Range(low, space["background_e"].high, "log-uniform"))


def crop_px(name: str) -> int:
    """Return the edge of a crop for a PSF by name or file."""
    return CROP_PX.get(name, USUAL_PX)
