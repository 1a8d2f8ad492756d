"""How far a network's wavefronts are from the true ones, on stacks that no training saw."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.aberrations.stacks import Stacks, StackSimulator
from models.aberrations.wavefront import SHAPE
from models.sample_space import Range, SampleSpace

Float32 = NDArray[np.float32]
Predict = Callable[[Float32], Float32]
"""Stacks (n, k, y, x) -> coefficients (n, 27) waves."""
RMS_WAVES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
PHOTONS, BACKGROUND_E = 2e4, 20.0
SEED = 77_000
"""Beyond the seeds of trainings."""


def held_out(
    space: SampleSpace, size_px: int, rms_waves: float, photons: float, count: int, seed: int,
    modes: tuple[int, ...] = SHAPE,
) -> Stacks:  # fmt: skip
    """Return stacks of one wavefront error and brightness, all modes alike, point emitters without read noise."""
    fixed = {
        "rms_waves": rms_waves,
        "photons": photons,
        "background_e": BACKGROUND_E,
        "blur_nm": 0.0,
        "read_noise_e": 0,
    }
    given = space.changed(**{name: Range(value, value) for name, value in fixed.items()})
    return StackSimulator(given, size_px, count, modes, steepest=0.0).draw(SEED + seed, 0)


def errors_waves(predict: Predict, stacks: Stacks) -> Float32:
    """Return the root mean square error of each wavefront (n,), position included."""
    found = predict(stacks.counts.numpy())
    return np.asarray(np.linalg.norm(found - stacks.waves.numpy(), axis=1), np.float32)


def by_rms(predict: Predict, space: SampleSpace, size_px: int, count: int) -> dict[str, float]:
    """Return the median error in waves for each total wavefront error."""
    return {
        f"{rms:g}": float(np.median(errors_waves(predict, held_out(space, size_px, rms, PHOTONS, count, k))))
        for k, rms in enumerate(RMS_WAVES)
    }
