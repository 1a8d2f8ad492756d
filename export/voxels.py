"""DeepSTORM3D as a localizer: the same ports as every other one, around a network that draws volumes of single frames.

| step | axes |
|---|---|
| counts -> what the network is given, of the frame before the batch and of all but its last | (t, 2, y, x) |
| network -> voxels, four to a pixel in x and y | (t, z, 4 y, 4 x) |
| local maxima, one z for each x and y (`models/voxels.py`) | (k, 4) |
| mass and centre of gravity around them; those above the threshold -> rows | (row, column) |

A volume takes 16 numbers for each plane and pixel, and several times that while maxima are looked for: with 41 planes
each frame of 128 x 128 pixels takes up to 0.5 GB in torch. So batches must be small (`batch_frames`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from export.card import Card
from export.graph import STEP_PX
from export.single_frames import DeployedSingleFrames, Emitters, Told, describe_single_frames
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.deep_storm_3d import DeepStorm3d
from models.voxels import UPSAMPLING, centres, peaks

LEAST = 0.05 / 8
"""Of a voxel that may be a maximum (published: 40 of 800, of an emitter in one voxel; here eight share it)."""
TOLD = Told(
    "volumes of single frames",
    "input of stable variance (Anscombe) beside the read noise; the probability is the mass in 9 x 9 x 9 voxels, at "
    "most 1; photons, uncertainties, background: not in the paper. Sizes and loss: models/systems/deep_storm_3d.py",
    looks_px=32, answers_px=32,
)  # fmt: skip


class DeployedVoxels(DeployedSingleFrames):
    """DeepSTORM3D with calibration before it and decoding behind it."""

    network: DeepStorm3d

    def emitters(self, given: Tensor, shape: tuple[int, int], threshold: Tensor) -> Emitters:
        """Return the maxima of the volume; what stands beside their position is of their pixel."""
        said = self.network(given)
        voxels = said.voxels[:, :, : UPSAMPLING * shape[0], : UPSAMPLING * shape[1]]
        at = peaks(voxels, LEAST)
        mass, place = centres(voxels, at)
        counts = mass > threshold
        at, place = at[counts], place[counts]
        pixel = at[:, 0], *(torch.div(at[:, axis], UPSAMPLING, rounding_mode="trunc") for axis in (2, 3))
        return Emitters(
            at[:, 0], STEP_PX * torch.round(place[:, :2] / STEP_PX), place[:, 2:], said.log_counts[pixel],
            said.sigma.permute(0, 2, 3, 1)[pixel], said.sigma_log_counts[pixel], said.sqrt_background[pixel],
            mass[counts], counts.sum(),
        )  # fmt: skip


def deployed_voxels(network: DeepStorm3d, space: SampleSpace) -> DeployedVoxels:
    """Return the graph of a network that was trained on this sample space."""
    return DeployedVoxels(network, space.scale("z_nm"))


def describe_voxels(
    module: DeployedVoxels, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any], threshold: float
) -> Card:
    """Return the card of DeepSTORM3D."""
    return describe_single_frames(module, TOLD, space, recipe, provenance, threshold)
