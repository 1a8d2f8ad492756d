"""DeepSTORM3D: one frame of large, overlapping spots -> a volume of voxels (Nehme et al., Nat. Methods 17, 2020).

The dilated trunk (`dilated.py`), then twice to double the resolution, then convolutions with as many channels as there
are planes: a voxel's score is its share of an emitter, held between 0 and 1 (the paper: 0 and 800). Size `accurate` is
as published: 64 channels, 121 planes, three blocks of planes, batch normalisation. Size `fast`, fourteen times cheaper:
32 channels, 41 planes, one block, no normalisation.

The loss is the paper's, error under a Gaussian and overlap. Its program divides the overlap by itself plus the sum of
the truth, so that what is said too much costs nothing; here it is by the sums of both squares (Milletari et al. 2016).

Chosen here, since a camera's stream asks for it: counts of stable variance and the read noise are the input, instead of
frames each scaled by its own minimum and maximum. The table wants more than the paper gives: photons and uncertainties
come from the likelihood of the emitters, which moves no voxel, and the background from each pixel.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.layers import BRANCH, keep_size, stabilize
from models.losses import Losses, Target
from models.optics.low_rank import LowRankSpot
from models.prediction import MIN_SIGMA
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.simulation import Samples, Simulator
from models.systems.dilated import GIVEN, Trunk, block
from models.training_spots import training_spots
from models.voxels import RADIUS, SIDE, centres, smooth, spikes, voxel_of, windows

SCALE = 800.0
"""Of the error: what the published scores reach up to."""
SAID = 0.3
"""Mass around an emitter above which it is found, and its likelihood is asked for."""
LEAK = 0.01
"""Slope beyond 0 and 1 while it is trained: else a voxel that once fell silent would never learn again."""


class Size(NamedTuple):
    """Channels of the trunk, planes in z, blocks with as many channels; whether there is batch normalisation."""

    channels: int
    planes: int
    blocks: int
    norm: bool


SIZES = {"fast": Size(32, 41, 1, False), "accurate": Size(64, 121, 3, True)}


class Volume(NamedTuple):
    """What the network says; counts are photo-electrons / F**2.

    Attributes
    ----------
    voxels : (b, planes, 4 y, 4 x) shares of an emitter
    log_counts : (b, y, x) natural logarithm of the counts of an emitter in the pixel
    sigma : (b, 3, y, x) 1-sigma uncertainties of x, y in pixels, z in units of half its range
    sigma_log_counts : (b, y, x)
    sqrt_background : (b, y, x)
    """

    voxels: Tensor
    log_counts: Tensor
    sigma: Tensor
    sigma_log_counts: Tensor
    sqrt_background: Tensor


class DeepStorm3d(nn.Module):
    """Frames in, `Volume` out.

    Parameters
    ----------
    size : Size

    Attributes
    ----------
    channels, stride : int
        Of what is handed from batch to batch: the network's input, since it looks at one frame only.
    """

    channels, stride, dimensions = GIVEN, 1, 3

    def __init__(self, size: Size) -> None:
        super().__init__()
        c, planes = size.channels, size.planes
        self.trunk = Trunk(c, size.norm)
        self.finer = nn.Sequential(*(part for b in (c + GIVEN, c) for part in (_doubled(), block(b, c, 1, size.norm))))
        first, *others = (block(b, planes, 1, size.norm) for b in (c, *[planes] * (size.blocks - 1)))
        self.first, self.others, self.last = first, nn.ModuleList(others), nn.Conv2d(planes, planes, 1)
        self.beside = nn.Conv2d(c + GIVEN, 6, 1)
        for part in (self.finer, self.first, self.others, self.last, self.beside):
            keep_size(part)
        with torch.no_grad():
            self.last.weight *= 0.1
            self.beside.weight *= 0.1
            if not size.norm:
                for each in others:
                    next(each.parameters()).mul_(BRANCH)

    def encode(self, counts: Tensor, variance: Tensor) -> Tensor:
        """(t, y, x) counts, (y, x) or (t, y, x) variance -> (t, 2, y, x), what the network is given."""
        return stabilize(counts, variance)

    def forward(self, frames: Tensor) -> Volume:
        """(b, 2, y, x), from `encode` -> volume."""
        features = self.trunk(frames)
        x = self.first(self.finer(features))
        for each in self.others:
            x = x + each(x)
        log_counts, *spread, background = self.beside(features).unbind(1)
        *sigma, sigma_log_counts = (MIN_SIGMA + nn.functional.softplus(values - 1.5) for values in spread)
        return Volume(
            self._bounded(self.last(x)), 6.5 + log_counts, torch.stack(sigma, dim=1), sigma_log_counts,
            4.0 + 4.0 * background,
        )  # fmt: skip

    def _bounded(self, raw: Tensor) -> Tensor:
        bounded = raw.clamp(0, 1)
        return bounded + LEAK * (raw - bounded) if self.training else bounded


class VolumesOfFrames:
    """DeepSTORM3D as the trainer sees it: the middle frame of each sample.

    Parameters
    ----------
    recipe : Recipe
    space : SampleSpace
    spot : LowRankSpot or None
    device : str

    Raises
    ------
    ValueError
        There is no spot: in focus there is no volume.
    """

    def __init__(self, recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None, device: str) -> None:
        if spot is None:
            raise ValueError(f"{recipe.system} finds z: train it for a PSF in depth, as `--psf tetrapod`")
        self._size = SIZES[recipe.size]
        self._simulator = Simulator(training_spots(spot, space), space, recipe.batch, recipe.patch_px, device)

    def network(self) -> DeepStorm3d:
        """Return the network, untrained."""
        return DeepStorm3d(self._size)

    def draw(self, seed: int, step: int) -> Samples:
        """Return the samples of a step."""
        return self._simulator.draw(seed, step)

    def losses(self, network: DeepStorm3d, samples: Samples) -> Losses:
        """Return the loss."""
        target = Target(samples.sample, samples.position, samples.emitter_counts, samples.background)
        return losses(network(network.encode(samples.counts[:, 1], samples.variance)), target)


def losses(said: Volume, target: Target) -> Losses:
    """Return error and overlap of the volumes, the likelihood of what is found, the error of the background's root."""
    true = smooth(spikes(target.sample, target.position, _shape(said.voxels)))
    seen = smooth(said.voxels)
    error, overlap = SCALE**2 * (seen - true).square().mean(), dice(seen, true)
    likelihood = _unlikeliness(said, target) / (len(target.counts) + len(said.voxels))
    background = (said.sqrt_background - torch.sqrt(target.background)).square().mean()
    parts = {"error": error, "overlap": overlap, "likelihood": likelihood, "background": background}
    return Losses(parts, error + overlap + 0.1 * likelihood + 0.1 * background)


def dice(seen: Tensor, true: Tensor) -> Tensor:
    """Return one minus twice the overlap over the sums of squares, mean over the batch (Milletari et al. 2016)."""
    both, squares = ((part).flatten(1).sum(1) for part in (seen * true, seen.square() + true.square()))
    return 1 - ((2 * both + 1) / (squares + 1)).mean()


@torch.no_grad()
def _placed(voxels: Tensor, target: Target) -> tuple[Tensor, Tensor]:
    """Return mass and position of what is said around each emitter: around the highest voxel of its window."""
    at = voxel_of(target.sample, target.position, voxels.shape)
    highest = windows(voxels, at).flatten(1).argmax(1)
    steps = torch.stack([highest // SIDE**2, highest // SIDE % SIDE, highest % SIDE], dim=1) - RADIUS
    return centres(voxels.clamp(0, 1), torch.column_stack((at[:, :1], at[:, 1:] + steps)))


def _unlikeliness(said: Volume, target: Target) -> Tensor:
    """Negative log likelihood of the emitters that are found, normal in x, y, z and the logarithm of the counts."""
    mass, place = _placed(said.voxels, target)
    x, y = target.position[:, :2].long().unbind(1)
    sigma = torch.column_stack((said.sigma[target.sample, :, y, x], said.sigma_log_counts[target.sample, y, x]))
    counts = torch.log(target.counts) - said.log_counts[target.sample, y, x]
    off = torch.column_stack((target.position - place, counts))
    nll = (0.5 * (off / sigma) ** 2 + torch.log(sigma) + 0.5 * math.log(2 * math.pi)).sum(1)
    return torch.where(mass > SAID, nll, torch.zeros_like(nll)).sum()


def _doubled() -> nn.Upsample:
    return nn.Upsample(scale_factor=2, mode="nearest")


def _shape(voxels: Tensor) -> tuple[int, int, int, int]:
    b, planes, height, width = voxels.shape
    return b, planes, height, width
