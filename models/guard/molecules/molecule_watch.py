"""Molecules of a running experiment, as many as it may cost, and what their deviations add up to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.guard.molecules.causes import Cause
from models.guard.molecules.diagnosis import diagnose
from models.guard.molecules.guard_file import Guard
from models.guard.molecules.mean_residual import MeanResidual
from models.guard.molecules.measures import alone, look
from models.guard.molecules.residual_image import ResidualImage
from models.guard.molecules.sequential import Sums
from models.guard.verdict import Finding, Word
from models.localizations import Localizations, concatenate
from models.refining.refine import Optics

AT_ONCE, MOST_AT_ONCE = 32, 256
FRAMES_AT_ONCE = 8
UNKNOWN_REMEDY = (
    "look at frames and what was found in them (newest frame on the page); another model, or one trained for this "
    "microscope: livesmlm train --from-beads"
)


class MoleculeWatch:
    """Looks at molecules that stand alone.

    Parameters
    ----------
    guard : Guard
    causes : mapping of str to Cause
    optics : Optics
        Spots in windows of the guard's size, and the camera with maps that cover the frames.
    per_frame : float
        Molecules that may be looked at, per frame that passes.
    """

    def __init__(self, guard: Guard, causes: Mapping[str, Cause], optics: Optics, per_frame: float) -> None:
        self._guard, self._optics, self._per_frame = guard, optics, per_frame
        self._causes = [causes[name] for name in guard.causes]
        self._sums, self._image = Sums(guard.reference, guard.usual, guard.rules), ResidualImage(optics)
        self._credit = 0.0
        self._frames: list[tuple[NDArray[np.uint16], Localizations]] = []
        self._waiting = 0

    @property
    def molecules(self) -> int:
        """That were looked at so far."""
        return self._sums.molecules

    def pass_by(self, frames: int) -> None:
        """Be told that so many frames came."""
        self._credit = min(self._credit + frames * self._per_frame, float(MOST_AT_ONCE))

    def take(self, pixels: NDArray[np.uint16], table: Localizations) -> None:
        """Take a frame (y, x) ADU, which is kept for a while, and its rows, if there is time for more molecules."""
        if self._credit < min(AT_ONCE, self._waiting + 1):
            return
        place = np.zeros(len(table), np.int64)
        rows = self._usable(table, place, pixels.shape)
        if not len(rows):
            return
        self._frames.append((pixels, table))
        self._waiting += len(rows)
        if self._waiting >= min(AT_ONCE, self._credit) or len(self._frames) == FRAMES_AT_ONCE:
            self._look()

    def settle(self) -> None:
        """Look at what waits for more: the run ends."""
        if self._waiting and self._credit >= 1:
            self._look()

    def findings(self) -> list[Finding]:
        """Return what the molecules tell now: at most one thing, the likeliest."""
        if not self._sums.raised.any():
            return []
        mean, count = self._sums.mean(self._sums.strongest)
        names = [cause.name for cause in self._causes]
        found = diagnose(self._guard.reference, self._guard.shifts, names, mean, count)
        evidence = {"molecules": count, "distance": found.distance, "explained": found.explained}
        if found.which < 0:
            cause = (
                f"molecules look as none in the training, for no known cause ({found.distance:.0f} standard deviations)"
            )
            return [Finding("unlike the training", "outside", cause, UNKNOWN_REMEDY, found.distance, evidence)]
        cause_found = self._causes[found.which]
        amount = cause_found.told(found.amount)
        strength = abs(amount) / cause_found.tolerable
        word: Word = "outside" if strength >= 1 else "drifting"
        return [
            Finding(
                cause_found.name, word, cause_found.words.format(amount=amount), cause_found.remedy, strength,
                evidence | {"amount": amount},
            )
        ]  # fmt: skip

    def mean_residual(self) -> MeanResidual | None:
        """Return what the molecules look like beside what they should; None while there are too few."""
        return self._image.mean()

    def _usable(self, table: Localizations, frame: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.intp]:
        rows = alone(table, frame, (shape[0], shape[1]), self._optics.spot)
        camera = self._optics.camera
        counts = np.asarray(table["photons"], np.float64)[rows] * camera.quantum_efficiency / camera.excess
        return rows[counts > self._guard.least_counts]

    def _look(self) -> None:
        camera = self._optics.camera
        stack = np.stack([pixels for pixels, _ in self._frames])
        counts = np.asarray(camera.photo_electrons(stack) / np.float32(camera.excess), np.float32)
        table = concatenate([found for _, found in self._frames])
        frame = np.repeat(np.arange(len(stack)), [len(found) for _, found in self._frames])
        rows = self._usable(table, frame, stack.shape[1:])
        rows = rows[:: max(1, -(-len(rows) // max(int(self._credit), 1)))]
        seen = look(counts, frame, table, rows, self._optics, self._guard.templates)
        self._sums.take(self._guard.reference.deviations(seen.measures, seen.conditions), seen.conditions)
        self._image.take(seen)
        self._credit -= len(rows)
        self._frames.clear()
        self._waiting = 0
