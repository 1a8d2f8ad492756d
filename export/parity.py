"""Does a file say what the network says: against torch in float64, row by row, on the same frames."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from export.evaluate import Runnable, conditions_for, feed
from export.localizers import Localizing, as_localizer
from export.trained import Trained
from models.camera import Camera
from models.evaluation.conditions import Conditions
from models.evaluation.dense import scene
from models.evaluation.report import USUAL_PHOTONS
from models.layers import OverFrames
from models.systems.deep_loco import DeepLoco
from models.systems.deep_storm_3d import DeepStorm3d

DENSITY_PER_UM2, FRAMES, SEED = 0.5, 40, 79_000
"""Of the scenes that forms of a network are compared on; beyond other seeds."""
Float64 = NDArray[np.float64]
NEAR_PX = 0.5
"""Rows of one frame that are so near are of the same molecule."""
FRAME_PX = 1e6
"""Rows of different frames are this far apart."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What the forms of a network are held against.

    Parameters
    ----------
    conditions : Conditions
    module : Localizing
        The network, in float32.
    frames : (t, y, x) uint16
    """

    conditions: Conditions
    module: Localizing
    frames: NDArray[np.uint16]

    @classmethod
    def of(cls, trained: Trained) -> Reference:
        """Return that of a localizer."""
        network = trained.network
        assert isinstance(network, OverFrames | DeepLoco | DeepStorm3d)
        conditions = conditions_for(trained.space, trained.spot)
        frames, _ = scene(conditions, DENSITY_PER_UM2, USUAL_PHOTONS, FRAMES, SEED)
        return cls(conditions, as_localizer(network, trained.space, trained.distance), frames)

    def beside(self, other: Runnable, threshold: float) -> dict[str, Any]:
        """Return how far another form is from the network in float64; as `agreement`."""
        return agreement(self.module, other, self.frames, self.conditions.camera, threshold)


def agreement(
    module: Localizing, other: Runnable, frames: NDArray[np.uint16], camera: Camera, threshold: float
) -> dict[str, Any]:
    """Return how far the rows of another form are from those of the module in float64.

    Parameters
    ----------
    module : Localizing
        In float32; it is computed in float64.
    other : Runnable
        What is compared; it has the same columns.
    frames : (t, y, x) uint16
    camera : Camera
    threshold : float

    Returns
    -------
    dict
        `rows`, `only_one_has` (molecules that only one of both finds, near the threshold), and `largest_difference` by
        column, in its unit.
    """
    inputs = [torch.from_numpy(values) for values in feed(module, frames, camera, threshold)]
    exact = [value.double() if value.is_floating_point() else value for value in inputs]
    with torch.no_grad():
        wanted, found = _rows(deepcopy(module).double(), exact), _rows(other, inputs)
    away, who = (np.atleast_1d(part) for part in cKDTree(_place(wanted)).query(_place(found)))
    here = away < NEAR_PX
    difference = np.abs(found[here, 1:] - wanted[who[here], 1:]).max(0, initial=0)
    largest = dict(zip(module.columns, difference.tolist(), strict=True))
    return {
        "rows": len(wanted), "only_one_has": int((~here).sum()) + len(wanted) - len(set(who[here].tolist())),
        "largest_difference": {name: float(f"{value:.2g}") for name, value in largest.items()},
    }  # fmt: skip


def _rows(run: Runnable, inputs: list[torch.Tensor]) -> Float64:
    """Return the table with the frame in front."""
    frame, table, count, _ = run(*inputs)
    return np.column_stack((frame.numpy(), table.numpy()))[: int(count)].astype(np.float64)


def _place(rows: Float64) -> Float64:
    return np.column_stack((rows[:, 0] * FRAME_PX, rows[:, 1:3]))
