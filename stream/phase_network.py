"""Where a retrieval starts from, said by the phase network: five slices of a bead -> Zernike coefficients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.aberrations.space import objective_of
from models.aberrations.wavefront import Position, mapping
from models.beads.starts import Start
from models.optics.objective import Objective
from stream import zoo
from stream.engine import Engine
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.errors import ModelError

Float64 = NDArray[np.float64]
MODEL = "moeckl-phase-fast"
ALIKE = 0.03
"""Aperture over wavelength and pixel size may differ from those of the training by this part: it is only a start."""
NEAR_NM = 60.0
"""A slice may be so far from where the network wants it."""


class PhaseNetwork:
    """The network that ships, if it was trained for optics like these.

    Parameters
    ----------
    engine : Engine
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, space = engine, engine.card.sample_space
        first, last, count = (space.number(name) for name in ("first_focus_nm", "last_focus_nm", "slices"))
        self._position = Position.of(objective_of(space))
        self.focus_nm, self.window_px = np.linspace(first, last, int(count)), engine.card.multiple_px
        # The brightest slice is in focus within half the distance of the network's slices, or aberrated.
        self._reach_nm = space["focus_shift_nm"].high + (last - first) / (count - 1) / 2

    def start(self, counts: Float64, focus_nm: Float64) -> Start | None:
        """Return coefficients of Noll 5 to 28 and the place of the bead; None if the stack does not reach far enough.

        Parameters
        ----------
        counts : (z, y, x) float
            Photo-electrons over the excess noise factor, one bead.
        focus_nm : (z,) float
            Of the stage, positive towards the objective.
        """
        sharp = int(np.argmax(counts.max((1, 2)) - np.median(counts, axis=(1, 2))))
        for middle in sorted(focus_nm.tolist(), key=lambda at: abs(at - focus_nm[sharp])):
            away = np.abs(focus_nm - middle - self.focus_nm[:, None])
            if away.min(1).max() <= NEAR_NM and abs(middle - focus_nm[sharp]) <= self._reach_nm:
                return self._ask(counts[away.argmin(1)], middle)
        return None

    def _ask(self, slices: Float64, middle_nm: float) -> Start:
        stack = _window(slices, self.window_px)
        waves = np.asarray(self._engine.run({"stack": np.asarray(stack[None], np.float32)})["waves"][0], float)
        x, y, focus = self._position.nm(waves)
        return Start(mapping(waves), (x, y, focus - middle_nm))


def phase_network(objective: Objective, pixel_size_nm: float) -> PhaseNetwork | None:
    """Return the network that ships; None if there is none, or it was trained for other optics."""
    try:
        path = zoo.find(MODEL)
    except ModelError:
        return None
    engine = OnnxRuntimeEngine(path, threads=1)
    space = engine.card.sample_space
    trained = objective_of(space)
    theirs = trained.numerical_aperture / trained.wavelength_nm, space.number("pixel_size_nm")
    ours = objective.numerical_aperture / objective.wavelength_nm, pixel_size_nm
    return PhaseNetwork(engine) if np.allclose(theirs, ours, rtol=ALIKE, atol=0) else None


def _window(stack: Float64, size_px: int) -> Float64:
    """Cut the middle out, or surround it with what is at its edges."""
    have = stack.shape[-1]
    if have >= size_px:
        first = (have - size_px) // 2
        return stack[:, first : first + size_px, first : first + size_px]
    before = (size_px - have) // 2
    after = size_px - have - before
    level = np.median(np.concatenate((stack[:, 0], stack[:, -1]), axis=1), axis=1)
    padded = np.broadcast_to(level[:, None, None], (len(stack), size_px, size_px)).copy()
    padded[:, before : size_px - after, before : size_px - after] = stack
    return padded
