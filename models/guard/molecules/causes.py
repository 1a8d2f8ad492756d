"""What may be wrong: how it is simulated, how it is called, how much of it can be borne, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from models.guard.molecules.in_focus import Part
from models.guard.molecules.matched import Mismatch
from models.guard.molecules.optics import Change
from models.guard.molecules.templates import NOLL

OPTICS_REMEDY = (
    "check focus, correction collar, immersion and temperature; then `livesmlm retrieve` on beads, and a network for "
    "what they show: livesmlm train --from-beads"
)
CAMERA_REMEDY = "compare [camera] with the camera's settings; `livesmlm calibrate-camera` measures it"


ABOVE_NOTHING = -0.99, inf
"""Relative changes of what is never negative."""
OF_THE_LIGHT = 0.0, 1.0


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that may be wrong.

    Parameters
    ----------
    name : str
        Several causes may bear one name, e.g. for either sign.
    words : str
        With `{amount}`, which is told in the units of `amount`.
    amount : float
        How much of it is simulated.
    tolerable : float
        Beyond so much the network's results are not to be trusted.
    remedy : str
    mismatch : Mismatch
    none : float
        The amount where all is as it should be.
    within : (float, float)
        What can be: amounts are told as what was simulated goes on in a straight line, which knows of no limits.
    """

    name: str
    words: str
    amount: float
    tolerable: float
    remedy: str
    mismatch: Mismatch
    none: float = 0.0
    within: tuple[float, float] = (-inf, inf)

    def told(self, times: float) -> float:
        """Return the amount that is so many times as far off as was simulated."""
        low, high = self.within
        return min(max(self.none + times * (self.amount - self.none), low), high)


def _aberration(name: str, j: int, waves: float) -> Cause:
    return Cause(
        name, f"{name} (Noll {j}) has changed by {{amount:+.2f}} waves", waves, 0.05, OPTICS_REMEDY,
        Mismatch(Change(j, waves)),
    )  # fmt: skip


def _scaled(share: float) -> Cause:
    return Cause(
        "pixel size", "spots are {amount:+.0%} wider than trained: pixel size, magnification or wavelength differ",
        share, 0.05, "check [camera] pixel_size_nm, binning and tube lens; then train for this rig: livesmlm train",
        Mismatch(Change(pixel_scale=1 / (1 + share))), within=ABOVE_NOTHING,
    )  # fmt: skip


def _mask(name: str, words: str) -> Cause:
    return Cause(
        "another mask", words, 1.0, 0.3, "put in the model's phase mask or cylindrical lens, or take a model for these",
        Mismatch(Change(mask=name)),
    )  # fmt: skip


def _gain(factor: float) -> Cause:
    return Cause(
        "gain", "the noise is that of a gain that differs from [camera] by {amount:+.0%}", factor - 1, 0.15,
        CAMERA_REMEDY, Mismatch(gain=factor), within=ABOVE_NOTHING,
    )  # fmt: skip


def _shape(name: str, words: str, amount: float, tolerable: float, *parts: Part) -> Cause:
    within = (-inf, inf) if name == "elongation" else OF_THE_LIGHT
    return Cause(name, words, amount, tolerable, SHAPE_REMEDY, Mismatch(parts=parts), within=within)


SHAPE_REMEDY = "check focus and its lock, vibration, drift within the exposure, immersion and correction collar"
LONGER, TURNED = (
    "spots are longer along x than along y by about {amount:+.0%}",
    "spots are longer at 45 degrees by about {amount:+.0%}",
)
SMALL_WAVES = 0.05
ABSORBED = "astigmatism", "astigmatism at 45 degrees", "spherical aberration"
"""A fit takes large ones of these for another height: they look otherwise than small ones do."""
THIN = 0.92, 0.92
TAIL = "spots have a tail {way}: about {{amount:.0%}} of their light (coma)"
COMMON: Mapping[str, Cause] = {
    "gain high": _gain(1.25), "gain low": _gain(0.8),
    "read noise": Cause(
        "read noise", "the noise without light is about {amount:.1f} times what [camera] says", 3.0, 1.5, CAMERA_REMEDY,
        Mismatch(read_noise=3.0), 1.0,
    ),
    "structure": Cause(
        "structured background", "the background has structure as fine as a molecule (about {amount:.0%} of its mean)",
        0.6, 0.3, "less light from out of focus: angle of illumination, filters, washing; [background] for the fits",
        Mismatch(structure=0.6),
    ),
}  # fmt: skip
"""Causes for all networks."""
IN_DEPTH: Mapping[str, Cause] = {
    **{
        f"{name} {times:+d}": _aberration(name, j, SMALL_WAVES * times)
        for name, j in NOLL.items() for times in ((1, -1, 3, -3) if name in ABSORBED else (1, -1))
    },
    "wider": _scaled(0.05), "narrower": _scaled(-0.05),
    "blur": Cause(
        "blur", "spots are blurred by about {amount:.0f} nm more than trained", 60.0, 40.0,
        "look for vibration, drift within the exposure, dirt on the optics", Mismatch(Change(blur_nm=60.0)),
    ),
    "double helix": _mask("double-helix", "spots are those of a double helix"),
    "no mask": _mask("none", "spots are those of an objective with neither phase mask nor cylindrical lens"),
    **COMMON,
}  # fmt: skip
"""Causes for networks in depth; a mask that is the training's own is none."""
IN_FOCUS: Mapping[str, Cause] = {
    "longer along x": _shape("elongation", LONGER, 0.2, 0.2, Part(1, 0, 0, 1.095, 0.913)),
    "longer along y": _shape("elongation", LONGER, -0.2, 0.2, Part(1, 0, 0, 0.913, 1.095)),
    "longer at 45": _shape("elongation", TURNED, 0.2, 0.2, Part(0.5, 0.4, 0.4, *THIN), Part(0.5, -0.4, -0.4, *THIN)),
    "longer at 135": _shape("elongation", TURNED, -0.2, 0.2, Part(0.5, 0.4, -0.4, *THIN), Part(0.5, -0.4, 0.4, *THIN)),
    "tail right": _shape("tail", TAIL.format(way="to the right"), 0.2, 0.15, Part(0.8), Part(0.2, 1.5, 0, 1.2, 1.2)),
    "tail left": _shape("tail", TAIL.format(way="to the left"), 0.2, 0.15, Part(0.8), Part(0.2, -1.5, 0, 1.2, 1.2)),
    "tail down": _shape("tail", TAIL.format(way="downwards"), 0.2, 0.15, Part(0.8), Part(0.2, 0, 1.5, 1.2, 1.2)),
    "tail up": _shape("tail", TAIL.format(way="upwards"), 0.2, 0.15, Part(0.8), Part(0.2, 0, -1.5, 1.2, 1.2)),
    "halo": _shape(
        "halo", "about {amount:.0%} of the light is in a wide halo: out of focus, or spherical aberration", 0.5, 0.4,
        Part(0.5), Part(0.5, 0, 0, 2.3, 2.3),
    ), **COMMON,
}  # fmt: skip
"""Causes for networks in focus, whose spots may have any width."""
