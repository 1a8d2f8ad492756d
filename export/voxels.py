"""DeepSTORM3D as a localizer: the same ports as every other one, around a network that draws volumes of single frames.

| step | axes |
|---|---|
| counts -> what the network is given, of the frame before the batch and of all but its last | (t, 2, y, x) |
| network -> voxels, four to a pixel in x and y | (t, z, 4 y, 4 x) |
| local maxima, one z for each x and y (`models/voxels.py`) | (k, 4) |
| mass and centre of gravity around them; those above the threshold -> rows | (row, column) |

A volume takes 16 numbers for each plane and pixel, and several times that while maxima are looked for: with 41 planes
each frame of 128 x 128 pixels takes up to 0.5 GB in torch. So batches must be small (`batch_frames`).
It needs no neighbours in time and answers one frame late all the same, as `points.py` says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card
from export.graph import INPUTS, MULTIPLE_PX, OUTPUTS, STEP_PX, calibrated, columns, example_of
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.deep_storm_3d import DeepStorm3d, Volume
from models.voxels import UPSAMPLING, centres, peaks

LEAST = 0.05
"""Of a voxel that may be a maximum (published: 40 of 800)."""
CHOSEN = (
    "input of stable variance (Anscombe) beside the read noise; the probability is the mass in 9 x 9 x 9 voxels, at "
    "most 1; photons, uncertainties, background: not in the paper. Sizes and loss: models/systems/deep_storm_3d.py"
)
"""What the paper does not say, for the card."""


class DeployedVoxels(nn.Module):
    """DeepSTORM3D with calibration before it and decoding behind it.

    Parameters
    ----------
    network : DeepStorm3d
    z_scale_nm : (float, float)
        Middle and half of the z range that it was trained on.
    """

    def __init__(self, network: DeepStorm3d, z_scale_nm: tuple[float, float]) -> None:
        super().__init__()
        self.network, self.z_scale_nm = network, z_scale_nm

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the table."""
        return columns(self.network.dimensions, novelty=False)

    def forward(
        self, frames: Tensor, offset: Tensor, gain: Tensor, variance: Tensor, excess: Tensor, threshold: Tensor,
        context: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        """Axes, dtypes and units as in `graph.INPUTS` and `graph.OUTPUTS`."""
        _, height, width = frames.shape
        given = self.network.encode(*calibrated(frames, offset, gain, variance, excess))
        seen = torch.cat((context.to(given.dtype), given))
        said = self.network(seen[1:-1])
        voxels = said.voxels[:, :, : UPSAMPLING * height, : UPSAMPLING * width]
        at = peaks(voxels, LEAST)
        mass, place = centres(voxels, at)
        counts = mass > threshold
        rows = self._rows(said, at[counts], mass[counts], place[counts], excess)
        return at[counts, 0], rows, counts.sum(), seen[-2:].to(context.dtype)

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free: frames, rows and columns."""
        return example_of(self.network.channels, self.network.stride, (3, 24, 32))

    def _rows(self, said: Volume, at: Tensor, mass: Tensor, place: Tensor, excess: Tensor) -> Tensor:
        """Return the table (k, columns) of voxels `at`, (k, 4); what stands beside the position is of their pixel."""
        middle, half = self.z_scale_nm
        frame, y, x = at[:, 0], *(torch.div(at[:, axis], UPSAMPLING, rounding_mode="trunc") for axis in (2, 3))
        photons = torch.exp(said.log_counts[frame, y, x]) * excess
        spread = said.sigma.permute(0, 2, 3, 1)[frame, y, x] * place.new_tensor([1.0, 1.0, half])
        background = torch.relu(said.sqrt_background[frame, y, x]) ** 2 * excess
        alone = (photons * said.sigma_log_counts[frame, y, x], background, mass.clamp(max=1.0))
        lateral, depth = STEP_PX * torch.round(place[:, :2] / STEP_PX), middle + half * place[:, 2:]
        return torch.cat((lateral, depth, photons[:, None], spread, *(column[:, None] for column in alone)), dim=1)


def deployed_voxels(network: DeepStorm3d, space: SampleSpace) -> DeployedVoxels:
    """Return the graph of a network that was trained on this sample space."""
    return DeployedVoxels(network, space.scale("z_nm"))


def describe_voxels(
    module: DeployedVoxels, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any], threshold: float
) -> Card:
    """Return the card of DeepSTORM3D."""
    psf, network, side = Path(recipe.psf).stem, module.network, 32
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.zeros(1, network.channels, side, side))
    return Card(
        name=f"{psf}-{recipe.system}-{recipe.size}",
        title=f"{psf} localizer, {recipe.system} {recipe.size}: volumes of single frames, EMCCD and sCMOS",
        inputs=INPUTS, outputs=OUTPUTS, columns=module.columns, features=network.channels, stride=network.stride,
        look_ahead=1, multiple_px=MULTIPLE_PX, threshold=threshold,
        mac_per_pixel=int(counter.get_total_flops()) // 2 // side**2, sample_space=space,
        provenance={**provenance, "chosen": CHOSEN},
    )  # fmt: skip
