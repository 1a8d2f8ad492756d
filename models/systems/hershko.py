"""Colours by a learned mask: an encoder-decoder gives the positions of each colour (Hershko et al. 2019).

Kept of the paper: a phase mask on a modulator whose phase differs from colour to colour, images with shot noise that
gradients pass through, an encoder-decoder that sees single frames and has one channel of answers for each colour, mask
and network trained together for 3 to 5 colours. Chosen here: a colour's answer is not a picture of peaks but
the localizers' `Prediction` (detection, place in the pixel, light, uncertainties, background) and their loss, each
colour a frame of its own to it. A likelihood rewards a mask for what it does to the uncertainty of the position, which
a picture of peaks of a fixed width does not.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models import prediction
from models.colours.dyes import dyes_of
from models.layers import OverFrames, Residual, keep_size, stabilize
from models.losses import Losses, Target, compact
from models.masks.joint import Behind, MaskAndNetwork
from models.prediction import Prediction
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.simulation import Samples, Scenes

SIZES = {"fast": 32, "accurate": 60}
"""Name of a size -> channels at half resolution; twice as many at a quarter."""
PER_COLOUR = prediction.channels(2)
RARE = -6.0
"""Logit of a detection at first."""


class HershkoLocalizer(OverFrames):
    """Single frames in, the channels of `Prediction` for each colour and camera pixel out.

    Parameters
    ----------
    colours : int
    channels : int
        Features at half resolution.
    """

    stride, dimensions = 2, 2

    def __init__(self, colours: int, channels: int = SIZES["fast"]) -> None:
        super().__init__()
        self.colours, self.channels = colours, channels
        c = channels
        self.encoder = nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(8, c, 3, padding=1), nn.ReLU(), Residual(c))
        self.coarse = nn.Sequential(
            nn.Conv2d(c, 2 * c, 3, stride=2, padding=1), nn.ReLU(),
            Residual(2 * c), Residual(2 * c, dilation=2), Residual(2 * c, dilation=4), Residual(2 * c),
            nn.Conv2d(2 * c, c, 1), nn.Upsample(scale_factor=2, mode="nearest"),
        )  # fmt: skip
        self.decoder = nn.Sequential(Residual(c), Residual(c, dilation=2), nn.Conv2d(c, c, 3, padding=1), nn.ReLU())
        self.head = nn.Conv2d(c, 4 * PER_COLOUR * colours, 1)
        keep_size(self)
        self._start_with_few_detections()

    def _start_with_few_detections(self) -> None:
        assert self.head.bias is not None
        with torch.no_grad():
            self.head.weight *= 0.1
            self.head.bias.zero_()
            self.head.bias.view(self.colours, PER_COLOUR, 4)[:, 0] = RARE

    def encode(self, counts: Tensor, variance: Tensor) -> Tensor:
        """(t, y, x) counts, (y, x) or (t, y, x) variance -> (t, c, y/2, x/2) features."""
        x = self.encoder(stabilize(counts, variance))
        features: Tensor = self.decoder(x + self.coarse(x))
        return features

    def hidden(self, before: Tensor, now: Tensor, after: Tensor) -> Tensor:
        """Return the features of the frame itself: it needs no neighbours."""
        return now

    def read(self, hidden: Tensor) -> Tensor:
        """(t, c, y/2, x/2) features -> (t * colours, channels, y, x) raw channels, colour by colour of each frame."""
        raw = functional.pixel_shuffle(self.head(hidden), 2)
        return raw.reshape(-1, PER_COLOUR, *raw.shape[-2:])

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return raw channels for the middle one of three frames, (b * colours, channels, y, x)."""
        return self.read(self.encode(counts[:, 1], variance))

    def activate(self, raw: Tensor, dim: int) -> Prediction:
        """Turn raw channels of one colour into a `Prediction`."""
        return prediction.activate(raw, dim)


def losses(network: HershkoLocalizer, samples: Samples, scenes: Scenes) -> Losses:
    """Return the loss of the localizers, to which each colour of a frame is a frame of its own."""
    drawn = torch.from_numpy(scenes.position_nm[:, 2]).to(samples.emitter.device)
    colour = drawn[samples.emitter].round().to(torch.int64)
    background = samples.background.repeat_interleave(network.colours, 0)
    place = samples.sample * network.colours + colour
    target = Target(place, samples.position, samples.emitter_counts, background)
    return compact(network.activate(network(samples.counts, samples.variance), 1), target)


def subject(recipe: Recipe, space: SampleSpace, device: str) -> MaskAndNetwork:
    """Return mask and network of a recipe; raises ValueError if the space has no colours."""
    colours = len(dyes_of(space))
    if colours < 2:
        raise ValueError(f"{recipe.system} tells colours apart: the sample space states {colours}, 2 to 5 are needed")
    behind = Behind(lambda: HershkoLocalizer(colours, SIZES[recipe.size]), losses, frames=(1,))
    return MaskAndNetwork(behind, recipe, space, device)
