"""What networks for aberrations are trained on, and the optics that stand on their cards."""

from __future__ import annotations

from dataclasses import asdict

from models.optics.objective import Objective
from models.sample_space import Range, SampleSpace

PHASE = SampleSpace({
    "pixel_size_nm": 100.0,
    "rms_waves": Range(0, 0.6),  # of the whole wavefront beside the position, Noll 5 to 28
    "photons": Range(1e3, 1e6, "log-uniform"),  # photo-electrons of a slice, collected by the objective
    "background_e": Range(0, 200, "soft-log"),
    "shift_nm": Range(-120, 120),  # x and y from the centre of the middle pixel
    "focus_shift_nm": Range(-250, 250),
    "blur_nm": Range(0, 80),  # standard deviation of what else spreads the light
    "read_noise_e": Range(0, 4),
    "first_focus_nm": -1000.0,  # stage position of the slices, positive towards the objective
    "last_focus_nm": 1000.0,
    "slices": 5.0,
})  # fmt: skip
"""Five slices of a bead from -1 to 1 um (Moeckl et al. 2019), and total wavefront errors up to 0.6 waves."""
SINGLE = PHASE.changed(
    rms_waves=Range(0.1, 0.6), photons=Range(1e4, 1e6, "log-uniform"), focus_shift_nm=Range(-50, 50),
    first_focus_nm=-500.0, last_focus_nm=-500.0, slices=1.0,
)  # fmt: skip
"""One strongly aberrated image at a known defocus (Paine & Fienup 2018)."""
SPACES = {"moeckl-phase": PHASE, "moeckl-phase-images": PHASE, "paine-fienup": SINGLE}
"""Of each system for wavefronts."""
OPTICS = tuple(asdict(Objective()))


def with_objective(space: SampleSpace, objective: Objective) -> SampleSpace:
    """Return the space with the objective's numbers beside it, as a card keeps them."""
    return space.changed(**asdict(objective))


def objective_of(space: SampleSpace) -> Objective:
    """Return the objective whose numbers `with_objective` noted."""
    return Objective(**{name: space.number(name) for name in OPTICS})
