"""DeepLoco as a localizer: the same ports as every other one, around a network that sees tiles of single frames.

| step | axes |
|---|---|
| counts -> what the network is given, of the frame before the batch and of all but its last | (t, 2, y, x) |
| overlapping tiles (`tiles.py`) | (t * tiles, 2, 64, 64) |
| network -> weighted points, merged (`models/merging.py`) | (t * tiles, 64) |
| those above the threshold, in their tile's own part -> rows | (row, column) |

It needs no neighbours in time. It answers one frame late all the same, since what a stream does with a localizer's
answers counts on that; the context that is handed on is the last two frames themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card
from export.graph import (
    INPUTS,
    MULTIPLE_PX,
    OUTPUTS,
    STEP_PX,
    DeployedLocalizer,
    calibrated,
    columns,
    example_of,
)
from export.static_graph import deployed
from export.tiles import MARGIN_PX, OWN_PX, Grid, along, answered
from export.voxels import DeployedVoxels, deployed_voxels
from models.feature_distance import FeatureDistance
from models.layers import OverFrames
from models.merging import Merged, merge
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.deep_loco import CELL_PX, TILE_PX, WIDTHS_PX, DeepLoco, Points
from models.systems.deep_storm_3d import DeepStorm3d

MERGE_PX = 1.0
"""Points nearer than this are of one emitter."""
STRONGEST = 128
"""Points of a tile that are merged; pairs of all 256 would take as long as the network."""
CHOSEN = (
    f"input of stable variance (Anscombe) beside the read noise; kernels exp(-r / w) with w = {WIDTHS_PX} pixels; "
    f"tiles of {TILE_PX} pixels that answer for what lies {MARGIN_PX} inside; points nearer than {MERGE_PX:g} pixel "
    "merged, their weights summed: the probability is that sum, at most 1. Sizes: models/systems/deep_loco.py"
)
"""What the paper does not say, for the card."""


class DeployedPoints(nn.Module):
    """DeepLoco with calibration before it, and tiles, merging and decoding around it.

    Parameters
    ----------
    network : DeepLoco
    z_scale_nm : (float, float)
        Middle and half of the z range that it was trained on; not used in two dimensions.
    """

    def __init__(self, network: DeepLoco, z_scale_nm: tuple[float, float] = (0.0, 1.0)) -> None:
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
        grid = Grid(along(height, frames.device), along(width, frames.device))
        said = self._merged(grid.cut(seen[1:-1]))
        at = torch.nonzero(said.weight > threshold)
        tile, weight, values = at[:, 0], said.weight[at[:, 0], at[:, 1]], said.values[at[:, 0], at[:, 1]]
        frame, start, *_ = grid.of(tile)
        place = start + STEP_PX * torch.round(values[:, :2] / STEP_PX)
        counts = answered(place, weight, tile, grid, MERGE_PX)
        rows = self._rows(place[counts], values[counts], weight[counts], excess)
        return frame[counts], rows, counts.sum(), seen[-2:].to(context.dtype)

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free: frames, rows and columns."""
        return example_of(self.network.channels, self.network.stride, (3, 120, 160))

    def _merged(self, tiles: Tensor) -> Merged:
        """Return emitters; values are place, logarithm of the counts, uncertainties, root of the background."""
        said = self.network(tiles)
        alone = (said.log_counts, said.sigma_log_counts, _background_under(said))
        log_counts, spread, background = (values[..., None] for values in alone)
        values = torch.cat((said.place, log_counts, said.sigma, spread, background), dim=-1)
        weight, which = torch.topk(said.weight, min(STRONGEST, said.weight.shape[1]))
        values = values.gather(1, which[..., None].expand(-1, -1, values.shape[-1]))
        return merge(values[..., :2], weight, values, MERGE_PX)

    def _rows(self, place: Tensor, values: Tensor, weight: Tensor, excess: Tensor) -> Tensor:
        """Return the table (k, columns)."""
        d = self.network.dimensions
        middle, half = self.z_scale_nm
        photons = torch.exp(values[:, d]) * excess
        depth = middle + half * values[:, 2:d]
        spread = values[:, d + 1 : 2 * d + 1] * values.new_tensor([1.0, 1.0, half])[:d]
        background = torch.relu(values[:, -1]) ** 2 * excess
        alone = (photons * values[:, -2], background, weight.clamp(max=1.0))
        return torch.cat((place, depth, photons[:, None], spread, *(column[:, None] for column in alone)), dim=1)


def _background_under(said: Points) -> Tensor:
    """Return the root of the background in the cell of each point, (b, n)."""
    side = said.sqrt_background.shape[-1]
    column, row = (said.place[..., :2] / CELL_PX).to(torch.int64).clamp(max=side - 1).unbind(-1)
    return said.sqrt_background.flatten(1).gather(1, row * side + column)


Localizing = DeployedLocalizer | DeployedPoints | DeployedVoxels


def deployed_points(network: DeepLoco, space: SampleSpace) -> DeployedPoints:
    """Return the graph of a network that was trained on this sample space."""
    return DeployedPoints(network, space.scale("z_nm") if network.dimensions == 3 else (0.0, 1.0))


def as_localizer(
    network: OverFrames | DeepLoco | DeepStorm3d, space: SampleSpace, novelty: FeatureDistance | None = None
) -> Localizing:
    """Return the graph of any localizer, whose table is as long as what is found."""
    if isinstance(network, DeepLoco):
        return deployed_points(network, space)
    if isinstance(network, DeepStorm3d):
        return deployed_voxels(network, space)
    return deployed(network, space, novelty=novelty)


def describe_points(
    module: DeployedPoints, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any], threshold: float
) -> Card:
    """Return the card of DeepLoco; operations per pixel are those of large frames, where tiles overlap."""
    psf, network = Path(recipe.psf).stem, module.network
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.zeros(1, network.channels, TILE_PX, TILE_PX))
    return Card(
        name=f"{psf}-{recipe.system}-{recipe.size}",
        title=f"{psf} localizer, {recipe.system} {recipe.size}: single frames in tiles, EMCCD and sCMOS",
        inputs=INPUTS, outputs=OUTPUTS, columns=module.columns, features=network.channels, stride=network.stride,
        look_ahead=1, multiple_px=MULTIPLE_PX, threshold=threshold,
        mac_per_pixel=int(counter.get_total_flops()) // 2 // OWN_PX**2, sample_space=space,
        provenance={**provenance, "chosen": CHOSEN},
    )  # fmt: skip
