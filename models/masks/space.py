"""What masks and the networks behind them are trained on: colours in focus, or one colour in depth."""

from __future__ import annotations

from models.colours.dyes import Dye, with_dyes
from models.localizations import CHANNELS
from models.masks.modulator import STROKE, USUAL
from models.sample_space import LOCALIZER_3D, Range, SampleSpace

QUANTUM_DOTS = tuple(Dye(wavelength, width_nm=0.0) for wavelength in (565.0, 605.0, 655.0))
"""Three of the colours of quantum dots; a dot's spectrum is narrow, and one wavelength stands for it."""
SIZE_PX = 23
"""Window of a spot that a mask is learned with: what leaves it is lost, so masks learn to keep the light in it."""
_KEPT = {name: value for name, value in LOCALIZER_3D.fields.items() if name not in ("z_nm", "pixel_size_nm")}
_MASKED = SampleSpace({"pixel_size_nm": Range(108, 112), **_KEPT, **USUAL, "window_px": float(SIZE_PX)}).changed(
    photons=Range(500, 20_000, "log-uniform"),
    density_per_um2=Range(0.02, 0.3),
    background_e=Range(1, 60, "log-uniform"),
)
COLOURS_IN_FOCUS = with_dyes(
    _MASKED.changed(**{STROKE.format(k): 0.0 for k in range(CHANNELS)}), QUANTUM_DOTS
)  # fmt: skip
"""Dots on the coverslip, of three colours."""
DEPTH = _MASKED.changed(
    pixel_size_nm=Range(98, 102),
    z_nm=Range(-1500, 1500),
    photons=Range(300, 10_000, "log-uniform"),
    density_per_um2=Range(0.02, 1, "log-uniform"),
    window_px=47.0,
    modulator_wrapped=1.0,
    modulator_stroke_rad=6.2832,
    modulator_design_nm=680.0,
)
"""Molecules of one colour in 3 um of depth, a modulator of 2 pi; depth and window as the tetrapod's, to compare."""
