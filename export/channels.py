"""A localizer of colours: the same ports as every other one, with the columns `channel` and `channel_probability`.

Its network answers for each colour as for a frame of its own. Where two colours claim the same place, the more probable
one is told; what stands beside it is its share of what all of them say there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card
from export.graph import INPUTS, MULTIPLE_PX, OUTPUTS, SPARE_ROWS, DeployedLocalizer, columns, divided
from models.evaluation.conditions import Locate
from models.masks.joint import Joint
from models.masks.optics import layer_of
from models.masks.scoring import by_photons
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.hershko import HershkoLocalizer

SAME_PX = 5
"""Candidates of different colours in windows of so many pixels are of one emitter."""
THRESHOLD = 0.5
LEAST = 1e-6
"""Of a probability: nothing is not divided by nothing."""
SEED = 41_000
CHOSEN = (
    "answers are those of the localizers for each colour, not pictures of peaks; modulator, strokes by wavelength and "
    "pixels across the pupil as in the sample space; one wavelength for each colour. Sizes: models/systems/hershko.py"
)
"""What the paper does not say, for the card."""


class DeployedChannels(DeployedLocalizer):
    """The network with calibration before it, and decoding by colour behind it.

    Parameters
    ----------
    network : HershkoLocalizer
    """

    network: HershkoLocalizer

    def __init__(self, network: HershkoLocalizer) -> None:
        super().__init__(network)

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the table."""
        *named, probability = columns(2, novelty=False)
        return (*named, "channel", "channel_probability", probability)

    def forward(
        self, frames: Tensor, offset: Tensor, gain: Tensor, variance: Tensor, excess: Tensor, threshold: Tensor,
        context: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        """Axes, dtypes and units as in `INPUTS` and `OUTPUTS`."""
        maps, score, features = self._maps(frames, offset, gain, variance, excess, context)
        share = told(score[:, 0].reshape(-1, self.network.colours, *score.shape[2:])).flatten(0, 1)
        found = (score[:, 0] > threshold) & (share > 0)
        at = torch.nonzero(found)
        padded = torch.cat((at, at.new_zeros((SPARE_ROWS, 3))))
        probability, sure = (values[padded[:, 0], padded[:, 1], padded[:, 2]] for values in (score[:, 0], share))
        rows = self._rows(maps, probability, padded, excess)
        frame = divided(padded[:, 0], self.network.colours)
        channel = (padded[:, 0] - frame * self.network.colours).to(rows.dtype)
        table = torch.cat((rows[:, :-1], channel[:, None], sure[:, None], rows[:, -1:]), dim=1)
        return frame[:-SPARE_ROWS], table[:-SPARE_ROWS], found.sum(), features[-2:]


def told(score: Tensor) -> Tensor:
    """Return each colour's share of what all say around a place, (t, colours, y, x); 0 where another one says more."""
    around = functional.max_pool2d(score, SAME_PX, 1, SAME_PX // 2)
    parts = []
    for colour, here in enumerate(score.unbind(1)):
        rivals = [one for other, one in enumerate(around.unbind(1)) if other != colour]
        best = torch.ones_like(here, dtype=torch.bool)
        for other, rival in enumerate(rivals):
            best = best & (here > rival if other < colour else here >= rival)  # of equal ones the first is told
        share = here / (here + torch.stack(rivals).sum(0) + LEAST)
        parts.append(torch.where(best, share, torch.zeros_like(share)))
    return torch.stack(parts, dim=1)


def describe_channels(
    module: DeployedChannels, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any]
) -> Card:  # fmt: skip
    """Return the card."""
    network, side = module.network, 64
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network.read(network.encode(torch.zeros(1, side, side), torch.zeros(side, side)))
    return Card(
        name=f"{recipe.system}-{recipe.size}",
        title=f"localizer of {network.colours} colours behind its own mask, {recipe.size}: single frames",
        inputs=INPUTS, outputs=OUTPUTS, columns=module.columns, features=network.channels, stride=network.stride,
        look_ahead=1, multiple_px=MULTIPLE_PX, threshold=THRESHOLD,
        mac_per_pixel=int(counter.get_total_flops()) // 2 // side**2, sample_space=space,
        provenance={**provenance, "chosen": CHOSEN},
    )  # fmt: skip


def scores_channels(locate: Locate, joint: Joint, space: SampleSpace) -> dict[str, Any]:
    """Return what mask and network score on single emitters, and on what."""
    spots = layer_of(space).spots(joint.mask)
    return {
        "data": "simulated, held-out seed: single emitters in focus, each colour as often; sCMOS with 1.5 e read "
        "noise, 10 photo-electrons of background",
        "single_by_photons": by_photons(locate, spots, SEED),
    }


def validate_channels(locate: Locate, joint: Joint, space: SampleSpace) -> dict[str, float]:
    """Return a few figures of mask and network while they are trained."""
    found = by_photons(locate, layer_of(space).spots(joint.mask), SEED + 1, (3000.0,), 120)
    return dict(found["3000"])
