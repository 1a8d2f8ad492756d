"""DeepLoco: a tile of one frame -> weighted points (Boyd, Jonas, Babcock & Recht, bioRxiv 267096, 2018).

Size `accurate` is the network as published: tiles of 64 x 64 pixels, convolutions with strides down to 4 x 4 cells, a
fully connected layer, two residual blocks that begin as the identity, and 64 points whose positions are sigmoids over
the tile and whose weights are rectified. Each of its points learns its own part of the tile from nothing, for which
millions of tiles are needed. Size `fast` keeps convolutions to the end: each of 16 x 16 cells tells one point, all with
the same weights, within six pixels of its middle. So it learns from every emitter what it knows of any. For both the
loss is that of the paper, a distance between weighted point sets with Laplacian kernels of several widths.

Chosen here, since nothing is public or a camera's stream asks for it: counts of stable variance and the read noise are
the input; points begin on a grid over the tile; the kernels' widths. The table wants more than the paper gives: photons
and uncertainties come from the likelihood of the emitters near a point, which does not move points, and the background
in cells of 4 x 4 pixels.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.kernel_distance import as_sets, kernel_distance
from models.layers import keep_size, stabilize
from models.losses import Losses, Target
from models.optics.low_rank import LowRankSpot
from models.prediction import MIN_SIGMA, Z_RANGE
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.simulation import Samples, Simulator
from models.training_spots import training_spots

TILE_PX, CELL_PX, POINTS = 64, 4, 64
"""Points: as published, where they are not one for each cell."""
WIDTHS_PX = (0.5, 2.0, 6.0)
"""Of the kernels: from the precision of an emitter to the distance at which points begin."""
REACH_PX = 1.5
"""Points so near to an emitter say something of it."""
SAID = 0.3
"""Weight near an emitter above which it is found, and its likelihood is asked for."""
BESIDE_PX, FIRST_WEIGHT = 6.0, 0.1
"""How far from its cell's middle a point may lie; what points weigh before anything is learned."""
UNMOVED = 1e-7
"""Largest weight at first of what the residual blocks add (published)."""


class Size(NamedTuple):
    """Channels at full, half and quarter resolution; width of the connected layers, 0: there are none."""

    full: int
    half: int
    quarter: int
    connected: int


SIZES = {"fast": Size(16, 32, 64, 0), "accurate": Size(16, 64, 256, 1024)}


class Points(NamedTuple):
    """What the network says of tiles; counts are photo-electrons / F**2.

    Attributes
    ----------
    place : (b, n, d) x, y from the tile's corner in pixels; z in units of half the range that was trained on, from its
        middle
    weight : (b, n) how many emitters a point stands for
    log_counts : (b, n) natural logarithm of the emitter's counts
    sigma : (b, n, d) 1-sigma uncertainties, in the units of `place`
    sigma_log_counts : (b, n)
    sqrt_background : (b, 16, 16) in cells of 4 x 4 pixels
    """

    place: Tensor
    weight: Tensor
    log_counts: Tensor
    sigma: Tensor
    sigma_log_counts: Tensor
    sqrt_background: Tensor


class Connected(nn.Module):
    """Two connected layers around a shortcut; at first the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(b, c) -> (b, c)."""
        return torch.relu(x + self.second(torch.relu(self.first(x))))


class OfTile(nn.Module):
    """Connected layers: cells (b, c, 16, 16) -> raw values of 64 points (b, 64, values), positions over the tile."""

    def __init__(self, size: Size, values: int) -> None:
        super().__init__()
        self.coarse, cells = _convolution(size.quarter, size.quarter, 4, 4), (TILE_PX // CELL_PX // 4) ** 2
        last = nn.Linear(size.connected, POINTS * values)
        self.connected = nn.Sequential(
            nn.ReLU(), nn.Flatten(), nn.Linear(cells * size.quarter, size.connected), nn.ReLU(),
            Connected(size.connected), Connected(size.connected), last,
        )  # fmt: skip
        self.values, grid = values, _middles(math.isqrt(POINTS))
        keep_size(self)
        with torch.no_grad():
            for block in self.modules():
                if isinstance(block, Connected):
                    block.second.weight.uniform_(-UNMOVED, UNMOVED)
            last.weight *= 0.1
            last.bias.view(POINTS, values)[:, :2] = torch.logit(grid)

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Return x and y in pixels (b, n, 2), and the other values (b, n, values - 2)."""
        raw = self.connected(self.coarse(cells)).reshape(-1, POINTS, self.values)
        return TILE_PX * torch.sigmoid(raw[..., :2]), raw[..., 2:]


class OfCells(nn.Module):
    """One point for each cell: cells (b, c, 16, 16) -> raw values (b, 256, values), positions near the cell."""

    middles: Tensor

    def __init__(self, size: Size, values: int) -> None:
        super().__init__()
        last = nn.Conv2d(size.quarter, values, 1)
        self.read = nn.Sequential(nn.Conv2d(size.quarter, size.quarter, 1), nn.ReLU(), last)
        self.register_buffer("middles", TILE_PX * _middles(TILE_PX // CELL_PX), persistent=False)
        keep_size(self)
        with torch.no_grad():
            last.weight *= 0.1

    def forward(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Return x and y in pixels (b, n, 2), and the other values (b, n, values - 2)."""
        raw = self.read(cells).flatten(2).transpose(1, 2)
        return self.middles + BESIDE_PX * torch.tanh(raw[..., :2]), raw[..., 2:]


class DeepLoco(nn.Module):
    """Tiles in, `Points` out.

    Parameters
    ----------
    size : Size
    dimensions : {2, 3}

    Attributes
    ----------
    channels, stride : int
        Of what is handed from batch to batch: the network's input, since it looks at one frame only.
    """

    channels, stride = 2, 1

    def __init__(self, size: Size, dimensions: int) -> None:
        super().__init__()
        self.dimensions = dimensions
        convolutions = (
            (2, size.full, 5, 1), (size.full, size.full, 5, 1),
            (size.full, size.half, 2, 2), (size.half, size.half, 3, 1), (size.half, size.half, 3, 1),
            (size.half, size.quarter, 2, 2), (size.quarter, size.quarter, 3, 1), (size.quarter, size.quarter, 3, 1),
        )  # fmt: skip
        self.trunk = nn.Sequential(*(part for each in convolutions for part in (_convolution(*each), nn.ReLU())))
        self.level = nn.Conv2d(size.quarter, 1, 1)
        keep_size(self)
        self.head = (OfTile if size.connected else OfCells)(size, 2 * dimensions + 3)

    def encode(self, counts: Tensor, variance: Tensor) -> Tensor:
        """(t, y, x) counts, (y, x) or (t, y, x) variance -> (t, 2, y, x), what the network is given."""
        return stabilize(counts, variance)

    def forward(self, tiles: Tensor) -> Points:
        """(b, 2, 64, 64), from `encode` -> points."""
        cells, axial = self.trunk(tiles), self.dimensions - 2
        lateral, raw = self.head(cells)
        depth, weight, log_counts, *spread = raw.split([axial, 1, 1, self.dimensions, 1], dim=-1)
        sigma, sigma_log_counts = (MIN_SIGMA + functional.softplus(values - 1.5) for values in spread)
        return Points(
            torch.cat((lateral, Z_RANGE * torch.tanh(depth)), dim=-1), torch.relu(weight[..., 0] + FIRST_WEIGHT),
            6.5 + log_counts[..., 0], sigma, sigma_log_counts[..., 0], 4.0 + 4.0 * self.level(cells)[:, 0],
        )  # fmt: skip


class PointsOfTiles:
    """DeepLoco as the trainer sees it: the middle frame of each sample is a tile.

    Parameters
    ----------
    recipe : Recipe
    space : SampleSpace
    spot : LowRankSpot or None
        What emitters look like in depth; None: Gaussian spots in focus, of any width.
    device : str
    """

    def __init__(self, recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None, device: str) -> None:
        spots = training_spots(spot, space)
        self._size, self._dimensions = SIZES[recipe.size], spots.dimensions
        half_nm = space.scale("z_nm")[1] if spots.dimensions == 3 else 0.0
        self._half_depth_px = half_nm / spots.pixel_size_nm
        self._simulator = Simulator(spots, space, recipe.batch, TILE_PX, device)

    def network(self) -> DeepLoco:
        """Return the network, untrained."""
        return DeepLoco(self._size, self._dimensions)

    def draw(self, seed: int, step: int) -> Samples:
        """Return the samples of a step."""
        return self._simulator.draw(seed, step)

    def losses(self, network: DeepLoco, samples: Samples) -> Losses:
        """Return the loss; all parts per emitter, or nearly so."""
        target = Target(samples.sample, samples.position, samples.emitter_counts, samples.background)
        points = network(network.encode(samples.counts[:, 1], samples.variance))
        return losses(points, target, self._half_depth_px)


def losses(points: Points, target: Target, half_depth_px: float) -> Losses:
    """Return the kernel distance, the likelihood of what is found, and the error of the background's root."""
    b, share = len(points.weight), 1.0 / (len(target.counts) + len(points.weight))
    true, there = as_sets(target.sample, torch.column_stack((target.position, torch.log(target.counts))), b)
    unit = points.place.new_tensor([1.0, 1.0, half_depth_px])[: points.place.shape[-1]]
    place, at = points.place * unit, true[..., :-1] * unit
    distance = kernel_distance(place, points.weight, at, there.to(place), WIDTHS_PX).sum() * share
    likelihood = _unlikeliness(points, true, there) * share
    level = functional.avg_pool2d(torch.sqrt(target.background)[:, None], CELL_PX)[:, 0]
    background = (points.sqrt_background - level).square().mean()
    parts = {"distance": distance, "likelihood": likelihood, "background": background}
    return Losses(parts, distance + 0.1 * likelihood + 0.1 * background)


def _unlikeliness(points: Points, true: Tensor, there: Tensor) -> Tensor:
    """Negative log likelihood of the emitters that are found under the points near them, summed.

    Normal in each coordinate and in the logarithm of the counts, a mixture by the points' weights (as Speiser et al.
    2021); positions and weights are taken as they are.
    """
    place, weight = points.place.detach(), points.weight.detach()
    off = true[:, :, None, :-1] - place[:, None]
    near = (off[..., :2].square().sum(-1) < REACH_PX**2) & there[..., None]
    share = weight[:, None] * near
    found = share.sum(-1) > SAID
    off = torch.cat((off, (true[..., -1:] - points.log_counts[:, None])[..., None]), dim=-1)
    sigma = torch.cat((points.sigma, points.sigma_log_counts[..., None]), dim=-1)[:, None]
    log_p = (-0.5 * (off / sigma) ** 2 - torch.log(sigma) - 0.5 * math.log(2 * math.pi)).sum(-1)
    log_p = (log_p + torch.log(share + 1e-9)).masked_fill(~near, -1e4)
    of_each = torch.logsumexp(log_p, dim=-1) - torch.log(share.sum(-1) + 1e-9)
    return -torch.where(found, of_each, torch.zeros_like(of_each)).sum()


def _convolution(before: int, after: int, size: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, size, stride, padding=0 if stride > 1 else size // 2)


def _middles(side: int) -> Tensor:
    """Return x, y of the middles of side x side cells of a tile of edge 1, (side^2, 2)."""
    grid = (torch.arange(side) + 0.5) / side
    y, x = torch.meshgrid(grid, grid, indexing="ij")
    return torch.stack((x.flatten(), y.flatten()), dim=1)
