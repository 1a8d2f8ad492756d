"""DeepLoco as a localizer: the same ports as every other one, around a network that sees tiles of single frames.

| step | axes |
|---|---|
| counts -> what the network is given, of the frame before the batch and of all but its last | (t, 2, y, x) |
| overlapping tiles (`tiles.py`) | (t * tiles, 2, 64, 64) |
| network -> weighted points, merged (`models/merging.py`) | (t * tiles, 64) |
| those above the threshold, in their tile's own part -> rows | (row, column) |
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from export.card import Card
from export.graph import STEP_PX
from export.single_frames import DeployedSingleFrames, Emitters, Told, describe_single_frames
from export.tiles import MARGIN_PX, OWN_PX, Grid, along, answered
from models.merging import Merged, merge
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.deep_loco import CELL_PX, TILE_PX, WIDTHS_PX, DeepLoco, Points

MERGE_PX = 1.5
"""Points nearer than this are of one emitter."""
SURE = 0.4
"""Weight above which a row is told; an uncertain place is told with little weight, so half of one is too much."""
STRONGEST = 128
"""Points of a tile that are merged; pairs of all 256 would take as long as the network."""
TOLD = Told(
    "single frames in tiles",
    f"input of stable variance (Anscombe) beside the read noise; kernels exp(-r / w) with w = {WIDTHS_PX} pixels; "
    f"tiles of {TILE_PX} pixels that answer for what lies {MARGIN_PX} inside; points nearer than {MERGE_PX:g} pixel "
    "merged, their weights summed: the probability is that sum, at most 1. Sizes: models/systems/deep_loco.py",
    looks_px=TILE_PX, answers_px=OWN_PX,
)  # fmt: skip


class DeployedPoints(DeployedSingleFrames):
    """DeepLoco with calibration before it, and tiles, merging and decoding around it."""

    network: DeepLoco
    example_shape = 3, 120, 160

    def emitters(self, given: Tensor, shape: tuple[int, int], threshold: Tensor) -> Emitters:
        """Return merged points, each of the tile that answers for its place."""
        d = self.network.dimensions
        grid = Grid(*(along(side, given.device) for side in shape))
        said = self._merged(grid.cut(given))
        at = torch.nonzero(said.weight > threshold)
        tile, weight, values = at[:, 0], said.weight[at[:, 0], at[:, 1]], said.values[at[:, 0], at[:, 1]]
        frame, start, *_ = grid.of(tile)
        place = start + STEP_PX * torch.round(values[:, :2] / STEP_PX)
        counts = answered(place, weight, tile, grid, MERGE_PX)
        values = values[counts]
        return Emitters(
            frame[counts], place[counts], values[:, 2:d], values[:, d], values[:, d + 1 : 2 * d + 1], values[:, -2],
            values[:, -1], weight[counts], counts.sum(),
        )  # fmt: skip

    def _merged(self, tiles: Tensor) -> Merged:
        """Return emitters; values are place, logarithm of the counts, uncertainties, root of the background."""
        said = self.network(tiles)
        alone = (said.log_counts, said.sigma_log_counts, _background_under(said))
        log_counts, spread, background = (values[..., None] for values in alone)
        values = torch.cat((said.place, log_counts, said.sigma, spread, background), dim=-1)
        weight, which = torch.topk(said.weight, min(STRONGEST, said.weight.shape[1]))
        values = values.gather(1, which[..., None].expand(-1, -1, values.shape[-1]))
        return merge(values[..., :2], weight, values, MERGE_PX)


def _background_under(said: Points) -> Tensor:
    """Return the root of the background in the cell of each point, (b, n)."""
    side = said.sqrt_background.shape[-1]
    column, row = (said.place[..., :2] / CELL_PX).to(torch.int64).clamp(max=side - 1).unbind(-1)
    return said.sqrt_background.flatten(1).gather(1, row * side + column)


def deployed_points(network: DeepLoco, space: SampleSpace) -> DeployedPoints:
    """Return the graph of a network that was trained on this sample space."""
    return DeployedPoints(network, space.scale("z_nm") if network.dimensions == 3 else (0.0, 1.0))


def describe_points(
    module: DeployedPoints, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any], threshold: float
) -> Card:
    """Return the card of DeepLoco."""
    return describe_single_frames(module, TOLD, space, recipe, provenance, threshold)
