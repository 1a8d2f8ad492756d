"""ANNA-PALM: few localizations and a widefield image -> the dense image to be expected, and where it is doubtful.

Kept of the paper (Ouyang et al., Nat. Biotechnol. 36, 460, 2018): a U-Net of eight stages that is told the structure,
its scales and its losses (least squares of a critic, 50 times similarity and absolute error, 25 times the consistency
with the widefield image), and a network that learns what a widefield image of a dense one looks like: its difference
from the one measured is the error map. Chosen here: a quarter of the published channels, tiles of 256 pixels, and
simulated structures. What comes out is a prediction. It is no measurement, and no table is made of it.

Decision: gain and offset of the widefield image are fitted before it is compared, as by Culley et al., Nat. Methods 15,
263 (2018). Context: neither is known, and the image to be expected is told from 0 to 1 of its own most; compared as it
is, crowded filaments differ more than shapes that were never learned. Consequence: errors are shares of the image's
standard deviation, and those of fields can be compared.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.losses import Losses
from models.predicted.samples import Fields, FieldSimulator
from models.predicted.similarity import multiscale_similarity
from models.predicted.space import COARSER, TRAINED_STRUCTURES
from models.recipe import Recipe
from models.sample_space import SampleSpace

WIDTHS = (16, 32, 64, 128, 128, 128, 128, 128)
"""Channels of the stages, from fine to coarse; published are four times as many."""
DROPPED = 3
"""Deepest stages with dropout."""
SLOPE = 0.2
TO_TRUTH, TO_WIDEFIELD, SIMILAR = 50.0, 25.0, 0.84
"""Weights of the losses, and the share of similarity in the first."""
TINY = 1e-8
"""So that an even image divides nothing by nothing."""


class Predictor(nn.Module):
    """The U-Net."""

    def __init__(self) -> None:
        super().__init__()
        inside = (2 + len(TRAINED_STRUCTURES), *WIDTHS[:-1])
        last = len(WIDTHS) - 1
        self.down = nn.ModuleList(
            _halve(before, width, normed=0 < k < last)
            for k, (before, width) in enumerate(zip(inside, WIDTHS, strict=True))
        )
        outside = (WIDTHS[0], *WIDTHS[:-1])
        self.up = nn.ModuleList(
            _double(width if k == last else 2 * width, outside[k], dropped=k > last - DROPPED)
            for k, width in reversed(tuple(enumerate(WIDTHS)))
        )
        self.last = nn.Conv2d(outside[0], 1, 3, padding=1)

    def forward(self, sparse: Tensor, widefield: Tensor, structure: Tensor) -> Tensor:
        """Return the image to be expected (b, y, x), from 0 to 1; what goes in is as in `Fields`."""
        wide = functional.interpolate(widefield[:, None], scale_factor=float(COARSER), mode="bilinear")
        kinds = structure[:, :, None, None].expand(-1, -1, *sparse.shape[1:])
        x, kept = torch.cat((sparse[:, None], wide, kinds), 1), []
        for stage in self.down:
            x = stage(x)
            kept.append(x)
        kept.pop()
        for stage in self.up:
            x = stage(x)
            x = torch.cat((x, kept.pop()), 1) if kept else x
        image: Tensor = torch.tanh(self.last(x))[:, 0]
        return (image + 1) / 2


class AnnaPalm(nn.Module):
    """What is trained together: predictor, critic, and what a widefield image of a dense one looks like."""

    def __init__(self) -> None:
        super().__init__()
        self.predictor = Predictor()
        self.widefield = nn.Sequential(
            nn.Conv2d(1, 8, 9, padding=4, padding_mode="replicate"), nn.ReLU(),
            nn.Conv2d(8, 8, 5, padding=2, padding_mode="replicate"), nn.ReLU(), nn.Conv2d(8, 1, 1),
        )  # fmt: skip
        self.critic = nn.Sequential(
            nn.Conv2d(3, 16, 4, 2, 1), nn.LeakyReLU(SLOPE), nn.Conv2d(16, 32, 4, 2, 1), nn.LeakyReLU(SLOPE),
            nn.Conv2d(32, 64, 4, 2, 1), nn.LeakyReLU(SLOPE), nn.Conv2d(64, 1, 3, padding=1),
        )  # fmt: skip

    def forward(self, sparse: Tensor, widefield: Tensor, structure: Tensor) -> tuple[Tensor, Tensor]:
        """Return the image (b, y, x) from 0 to 1, and the error map (b, y / 4, x / 4).

        In standard deviations of the widefield image: the mean of the squares is the share that is not explained.
        """
        image = self.predictor(sparse, widefield, structure)
        spread = widefield.var((1, 2), keepdim=True, unbiased=False).clamp(min=TINY).sqrt()
        return image, unexplained(self.seen_wide(image), widefield).abs() / spread

    def seen_wide(self, image: Tensor) -> Tensor:
        """Return the widefield image (b, y / 4, x / 4) that a dense image (b, y, x) should have."""
        wide: Tensor = self.widefield(functional.avg_pool2d(image[:, None], COARSER))[:, 0]
        return wide


class Predictions:
    """ANNA-PALM as the trainer sees it.

    Parameters
    ----------
    recipe : Recipe
    space : SampleSpace
    device : str
    """

    def __init__(self, recipe: Recipe, space: SampleSpace, device: str) -> None:
        self._simulator, self._device = FieldSimulator(space, recipe.batch), device

    def network(self) -> AnnaPalm:
        """Return the networks, untrained."""
        return AnnaPalm()

    def draw(self, seed: int, step: int) -> Fields:
        """Return the fields of a step."""
        return self._simulator.draw(seed, step)

    def losses(self, network: AnnaPalm, samples: Fields) -> Losses:
        """Return the losses of all three, each of which moves its own network only."""
        sparse, dense, wide, structure = (
            torch.from_numpy(one).to(self._device)
            for one in (samples.sparse, samples.dense, samples.widefield, samples.structure)
        )
        image = network.predictor(sparse, wide, structure)
        coarse = functional.interpolate(wide[:, None], scale_factor=float(COARSER))[:, 0]
        real, made = (torch.stack((sparse, coarse, one), 1) for one in (dense, image))
        convinced = (held(network.critic, made) - 1).square().mean()
        critic = (network.critic(real) - 1).square().mean() + network.critic(made.detach()).square().mean()
        unlike = 1 - multiscale_similarity(image, dense).mean()
        truth = SIMILAR * unlike + (1 - SIMILAR) * (image - dense).abs().mean()
        reduced = functional.avg_pool2d(image[:, None], COARSER)
        consistent = unexplained(held(network.widefield, reduced)[:, 0], wide).square().mean()
        learned = unexplained(network.seen_wide(dense), wide).square().mean()
        total = convinced + TO_TRUTH * truth + TO_WIDEFIELD * consistent + critic / 2 + TO_WIDEFIELD * learned
        parts = {"truth": truth, "unlike": unlike, "critic": critic, "consistent": consistent, "learned": learned}
        return Losses({name: part.detach() for name, part in parts.items()}, total)


def unexplained(seen: Tensor, measured: Tensor) -> Tensor:
    """Return what is left of images (b, y, x) when others, with gain and offset fitted, are taken off."""
    seen, measured = (image - image.mean((1, 2), keepdim=True) for image in (seen, measured))
    gain = (seen * measured).mean((1, 2), keepdim=True) / seen.square().mean((1, 2), keepdim=True).clamp(min=TINY)
    left: Tensor = measured - gain * seen
    return left


def held(network: nn.Module, image: Tensor) -> Tensor:
    """Return what a network says, its weights taken as constants."""
    weights = {name: weight.detach() for name, weight in network.named_parameters()}
    said: Tensor = torch.func.functional_call(network, weights, (image,))
    return said


def _halve(before: int, width: int, normed: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(before, width, 4, stride=2, padding=1)]
    if normed:
        layers.append(nn.BatchNorm2d(width))
    return nn.Sequential(*layers, nn.LeakyReLU(SLOPE))


def _double(before: int, width: int, dropped: bool) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Upsample(scale_factor=2), nn.Conv2d(before, width, 3, padding=1), nn.BatchNorm2d(width),
        nn.LeakyReLU(SLOPE),
    ]  # fmt: skip
    if dropped:
        layers.append(nn.Dropout(0.5))
    return nn.Sequential(*layers)
