"""What graphs have in common whose network sees single frames (DeepLoco, DeepSTORM3D): the ports of every localizer.

They need no neighbours in time. They answer one frame late all the same, since what a stream does with a localizer's
answers counts on that; the context that is handed on is what the network is given of the last two frames.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card
from export.graph import INPUTS, MULTIPLE_PX, OUTPUTS, calibrated, columns, example_of
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.deep_loco import DeepLoco
from models.systems.deep_storm_3d import DeepStorm3d


class Emitters(NamedTuple):
    """What the network found, above the threshold.

    Attributes
    ----------
    frame : (k,)
    place : (k, 2) x, y in pixels from the corner of the frame, on the grid of `STEP_PX`
    depth : (k, 0 or 1) z in units of half its range
    log_counts : (k,) natural logarithm of the photo-electrons / F**2
    sigma : (k, 2 or 3) of x, y in pixels, of z in units of half its range
    sigma_log_counts : (k,)
    sqrt_background : (k,)
    weight : (k,) how much of an emitter there is; the probability, if it is at most 1
    total : () how many there are
    """

    frame: Tensor
    place: Tensor
    depth: Tensor
    log_counts: Tensor
    sigma: Tensor
    sigma_log_counts: Tensor
    sqrt_background: Tensor
    weight: Tensor
    total: Tensor


class DeployedSingleFrames(nn.Module):
    """A network of single frames with calibration before it and rows behind it; `emitters` is what differs.

    Parameters
    ----------
    network : DeepLoco or DeepStorm3d
    z_scale_nm : (float, float)
        Middle and half of the z range that it was trained on; not used in two dimensions.
    """

    network: DeepLoco | DeepStorm3d
    example_shape = 3, 24, 32

    def __init__(self, network: DeepLoco | DeepStorm3d, z_scale_nm: tuple[float, float] = (0.0, 1.0)) -> None:
        super().__init__()
        self.network, self.z_scale_nm = network, z_scale_nm

    def emitters(self, given: Tensor, shape: tuple[int, int], threshold: Tensor) -> Emitters:
        """Return what is found in frames (t, 2, y, x) as the network is given them; `shape`: rows and columns."""
        raise NotImplementedError

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
        found = self.emitters(seen[1:-1], (height, width), threshold)
        return found.frame, self._table(found, excess), found.total, seen[-2:].to(context.dtype)

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free: frames, rows and columns."""
        return example_of(self.network.channels, self.network.stride, self.example_shape)

    def _table(self, found: Emitters, excess: Tensor) -> Tensor:
        """Return the table (k, columns)."""
        middle, half = self.z_scale_nm
        photons = torch.exp(found.log_counts) * excess
        spread = found.sigma * found.sigma.new_tensor([1.0, 1.0, half])[: self.network.dimensions]
        background = torch.relu(found.sqrt_background) ** 2 * excess
        alone = (photons * found.sigma_log_counts, background, found.weight.clamp(max=1.0))
        depth = middle + half * found.depth
        return torch.cat((found.place, depth, photons[:, None], spread, *(column[:, None] for column in alone)), dim=1)


class Told(NamedTuple):
    """What a card says that differs between such systems.

    Attributes
    ----------
    of : str
        What the network looks at.
    chosen : str
        What the paper does not say.
    looks_px, answers_px : int
        Side of an image that the network is given, and of what it answers for in large frames.
    """

    of: str
    chosen: str
    looks_px: int
    answers_px: int


def describe_single_frames(
    module: DeployedSingleFrames, told: Told, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any],
    threshold: float,
) -> Card:  # fmt: skip
    """Return the card; operations per pixel are those of large frames."""
    psf, network, side = recipe.spot_name, module.network, told.looks_px
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.zeros(1, network.channels, side, side))
    return Card(
        name=f"{psf}-{recipe.system}-{recipe.size}",
        title=f"{psf} localizer, {recipe.system} {recipe.size}: {told.of}, EMCCD and sCMOS",
        inputs=INPUTS, outputs=OUTPUTS, columns=module.columns, features=network.channels, stride=network.stride,
        look_ahead=1, multiple_px=MULTIPLE_PX, threshold=threshold,
        mac_per_pixel=int(counter.get_total_flops()) // 2 // told.answers_px**2, sample_space=space,
        provenance={**provenance, "chosen": told.chosen},
    )  # fmt: skip
