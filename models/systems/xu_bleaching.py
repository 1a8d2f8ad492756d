"""CLDNN: an intensity trace -> how many bleaching steps it has (Xu et al., J. Am. Chem. Soc. 141, 6976, 2019).

Kept of the paper: convolutions in one dimension, a recurrent layer (LSTM) over their features, dense layers, one class
for each number of steps, cross entropy, simulated traces of several ratios of signal to noise. Widths and strides are
not public; chosen here: eight frames become one of the features that the LSTM reads, forth and back. Further than the
published 0 to 4 steps; the last class stands for that many or more. A trace is made comparable by its own light and its
own noise, so its unit does not matter.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.bleaching.samples import BleachingTraces, TraceSimulator
from models.losses import Losses
from models.recipe import Recipe
from models.sample_space import SampleSpace

SIZES = {"fast": 64, "accurate": 128}
"""Name of a size -> units of the LSTM in each direction, and channels that it reads."""
STRIDE = 8
"""Frames for each of them."""
CHANNELS = 3
NOISE_OF_DIFFERENCES = 0.5 * torch.pi**0.5
"""Standard deviation of noise over the mean absolute difference of neighbours."""
TINY = 1e-12


class StepCounter(nn.Module):
    """Traces in, logits of the numbers of steps out.

    Parameters
    ----------
    most_steps : int
        Classes are 0 to so many.
    width : int
        As `SIZES`.
    """

    def __init__(self, most_steps: int, width: int) -> None:
        super().__init__()
        widths = (CHANNELS, 3 * width // 8, 3 * width // 4, width)
        kernels = (7, 5, 5)
        self.features = nn.Sequential(*(
            layer
            for (before, after), kernel in zip(pairwise(widths), kernels, strict=True)
            for layer in (nn.Conv1d(before, after, kernel, stride=2, padding=kernel // 2), nn.ReLU())
        ))  # fmt: skip
        self.memory = nn.LSTM(width, width, bidirectional=True)
        self.head = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, most_steps + 1))

    def sequence(self, trace: Tensor) -> Tensor:
        """Return features (t / 8, b, width) of traces (b, t)."""
        features: Tensor = self.features(comparable(trace)).permute(2, 0, 1)
        return features

    def read(self, ends: Tensor) -> Tensor:
        """Return logits (b, classes) of what the LSTM says at the ends, (2, b, width): forth and back."""
        logits: Tensor = self.head(torch.cat((ends[0], ends[1]), dim=1))
        return logits

    def forward(self, trace: Tensor) -> Tensor:
        """Return logits (b, classes) of traces (b, t), background taken off, in any unit."""
        return self.read(self.memory(self.sequence(trace))[1][0])


def comparable(trace: Tensor) -> Tensor:
    """Return channels (b, 3, t): the trace in units of its light and of its noise, both compressed, and their ratio."""
    light = torch.sqrt(trace.square().mean(1, keepdim=True) + TINY)
    noise = NOISE_OF_DIFFERENCES * (trace[:, 1:] - trace[:, :-1]).abs().mean(1, keepdim=True) + 1e-3 * light
    ratio = torch.log(light / noise).expand_as(trace)
    return torch.stack((torch.asinh(trace / light), torch.asinh(trace / noise) / 2, ratio / 2), dim=1)


class Bleaching:
    """The step counter as the trainer sees it.

    Parameters
    ----------
    recipe : Recipe
    space : SampleSpace
    device : str
    """

    def __init__(self, recipe: Recipe, space: SampleSpace, device: str) -> None:
        self._most, self._width = int(space.number("most_steps")), SIZES[recipe.size]
        self._simulator, self._device = TraceSimulator(space, recipe.batch), device

    def network(self) -> StepCounter:
        """Return the network, untrained."""
        return StepCounter(self._most, self._width)

    def draw(self, seed: int, step: int) -> BleachingTraces:
        """Return the traces of a step."""
        return self._simulator.draw(seed, step)

    def losses(self, network: StepCounter, samples: BleachingTraces) -> Losses:
        """Return the cross entropy; `wrong` is the share of traces that are counted wrongly."""
        trace, steps = (torch.from_numpy(one).to(self._device) for one in (samples.intensity, samples.steps))
        logits = network(trace)
        entropy = functional.cross_entropy(logits, steps)
        wrong = (logits.detach().argmax(1) != steps).float().mean()
        return Losses({"entropy": entropy.detach(), "wrong": wrong}, entropy)
