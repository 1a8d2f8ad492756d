"""The graph that is exported: raw camera frames and calibration maps in, a table of localizations out.

Calibration, the network, peak picking and sub-pixel decoding are all in the graph; the activations of the position
come after the gather, so only candidates pay for them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.card import Port
from models.feature_distance import FeatureDistance
from models.layers import OverFrames

MULTIPLE_PX = 4
SURE = 0.6
SPARE_ROWS = 16
"""Rows behind the last one while rows are decoded. ONNX Runtime computes some functions of the last few numbers of a
vector in another way than those before; so a row's last bit would depend on how many there are."""
STEP_PX = 2.0**-12
"""Of positions. Pixel and offset are added exactly in float32 (below 4096 pixels) if the offset is a multiple of this;
else the last bit of a position would depend on where the corner is that pixels are counted from."""
INPUTS = (
    Port("frames", "uint16", ("t", "y", "x"), "ADU"),
    Port("offset", "float32", ("y", "x"), "ADU"),
    Port("gain", "float32", ("y", "x"), "ADU per photo-electron"),
    Port("variance", "float32", ("y", "x"), "photo-electrons squared"),
    Port("excess", "float32", (), "excess noise factor F**2: 2 behind an EM register, else 1"),
    Port("threshold", "float32", (), "probability"),
    Port("context", "float32", ("2", "channel", "y/stride", "x/stride"), "features of the two frames before"),
)
OUTPUTS = (
    Port("frame", "int64", ("row",), "position in the batch, minus one: 0 is the last frame of the batch before"),
    Port("table", "float32", ("row", "column"), "see columns; photons and background in photo-electrons"),
    Port("count", "int64", (), "localizations found; more than there are rows if the table was too small"),
    Port("context_out", "float32", ("2", "channel", "y/stride", "x/stride"), "features of the last two frames"),
)


def columns(dimensions: int, novelty: bool) -> tuple[str, ...]:
    """Return the columns of the output `table`; the last one says which rows are filled (`static_rows.py`)."""
    axes = ("x_px", "y_px", "z_nm")[:dimensions]
    extra = ("novelty",) if novelty else ()
    spread = (f"sigma_{axis}" for axis in axes)
    return (*axes, "photons", *spread, "sigma_photons", "background", *extra, "probability")


class Maps(NamedTuple):
    """What rows are made of: raw channels (t, channels, y, x), read from hidden features (t, c, y/stride, x/stride)."""

    raw: Tensor
    hidden: Tensor


class DeployedLocalizer(nn.Module):
    """A localizer with calibration before it and decoding behind it.

    Parameters
    ----------
    network : OverFrames
    z_scale_nm : (float, float)
        Middle and half of the z range that the network was trained on; not used in two dimensions.
    novelty : FeatureDistance or None
        From what the network learned; None: its table has no such column.
    """

    def __init__(
        self, network: OverFrames, z_scale_nm: tuple[float, float] = (0.0, 1.0), novelty: FeatureDistance | None = None
    ) -> None:
        super().__init__()
        self.network, self.z_scale_nm, self.novelty = network, z_scale_nm, novelty

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the table."""
        return columns(self.network.dimensions, self.novelty is not None)

    def forward(
        self, frames: Tensor, offset: Tensor, gain: Tensor, variance: Tensor, excess: Tensor, threshold: Tensor,
        context: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # fmt: skip
        """Axes, dtypes and units as in `INPUTS` and `OUTPUTS`."""
        maps, score, features = self._maps(frames, offset, gain, variance, excess, context)
        found = (score > threshold).squeeze(1)
        at = torch.nonzero(found)
        padded = torch.cat((at, at.new_zeros((SPARE_ROWS, 3))))
        probability = score[padded[:, 0], 0, padded[:, 1], padded[:, 2]]
        return at[:, 0], self._rows(maps, probability, padded, excess)[:-SPARE_ROWS], found.sum(), features[-2:]

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free: frames, rows and columns."""
        return example_of(self.network.channels, self.network.stride, (4, 48, 40))

    def _maps(
        self, counts_adu: Tensor, offset: Tensor, gain: Tensor, variance: Tensor, excess: Tensor, context: Tensor
    ) -> tuple[Maps, Tensor, Tensor]:
        """Return what rows are made of, scores (t, 1, y, x), and features of the t + 2 frames."""
        _, height, width = counts_adu.shape
        encoded = self.network.encode(*calibrated(counts_adu, offset, gain, variance, excess))
        features = torch.cat((context.to(encoded.dtype), encoded))
        hidden = self.network.hidden(features[:-2], features[1:-1], features[2:])
        raw = self.network.read(hidden)[:, :, :height, :width].to(offset.dtype)
        return Maps(raw, hidden), candidate_scores(raw[:, :1]), features.to(context.dtype)

    def _rows(self, maps: Maps, probability: Tensor, at: Tensor, excess: Tensor) -> Tensor:
        """Return the table (k, columns) of pixels `at`, (k, 3): frame, y, x; and their probabilities, (k,)."""
        gathered = maps.raw.permute(0, 2, 3, 1)[at[:, 0], at[:, 1], at[:, 2]]
        p = self.network.activate(gathered, dim=1)
        photons = torch.exp(p.log_counts) * excess
        middle, half = self.z_scale_nm
        x, y = (at[:, axis] + 0.5 + STEP_PX * torch.round(p.position[2 - axis] / STEP_PX) for axis in (2, 1))
        depth = [middle + half * z for z in p.position[2:]]
        spread = [half * sigma if axis == 2 else sigma for axis, sigma in enumerate(p.sigma)]
        background = torch.relu(p.sqrt_background) ** 2 * excess
        novelty = self._novelty(maps.hidden, at, probability.dtype)
        columns = (x, y, *depth, photons, *spread, photons * p.sigma_log_counts, background, *novelty, probability)
        return torch.stack(columns, dim=1)

    def _novelty(self, hidden: Tensor, at: Tensor, dtype: torch.dtype) -> list[Tensor]:
        """Return the column (k,) of pixels `at`, if there is one; computed in `dtype`, whatever convolutions are."""
        if self.novelty is None:
            return []
        return [self.novelty(features_under(hidden, at, self.network.stride).to(dtype))]


def example_of(channels: int, stride: int, shape: tuple[int, int, int]) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
    """Return inputs for frames of `shape` (t, y, x) and features like these, and which of their axes are free."""
    t, y, x = shape
    maps = [torch.rand(y, x) + 0.5 for _ in range(3)]
    context = torch.rand(2, channels, y // stride, x // stride)
    frames = torch.randint(90, 200, (t, y, x)).to(torch.uint16)
    rows, columns = torch.export.Dim("y", min=8), torch.export.Dim("x", min=8)
    plane, fields = {0: rows, 1: columns}, {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    free = ({0: torch.export.Dim("t", min=1), 1: rows, 2: columns}, plane, plane, plane, None, None, fields)
    return (frames, *maps, torch.tensor(1.0), torch.tensor(0.5), context), free


def calibrated(
    counts_adu: Tensor, offset: Tensor, gain: Tensor, variance: Tensor, excess: Tensor
) -> tuple[Tensor, Tensor]:
    """Return photo-electrons over F^2 (t, y, x), and the variance of the read noise in them (y, x); padded."""
    counts = (counts_adu.to(offset.dtype) - offset) / (gain * excess)
    return _pad(counts), _pad((variance / excess**2)[None])[0]


def _pad(maps: Tensor) -> Tensor:
    """Repeat the last rows and columns of (n, y, x) up to a multiple of `MULTIPLE_PX`."""
    _, height, width = maps.shape
    down = (height + MULTIPLE_PX - 1) // MULTIPLE_PX * MULTIPLE_PX - height
    right = (width + MULTIPLE_PX - 1) // MULTIPLE_PX * MULTIPLE_PX - width
    return functional.pad(maps[None], (0, right, 0, down), mode="replicate")[0]


def features_under(hidden: Tensor, at: Tensor, stride: int) -> Tensor:
    """Return the features (k, c) of the cells that pixels `at` lie in, (k, 3): frame, y, x."""
    return hidden.permute(0, 2, 3, 1)[at[:, 0], divided(at[:, 1], stride), divided(at[:, 2], stride)]


def divided(index: Tensor, by: int) -> Tensor:
    """Divide what is not negative, in one operation of the graph."""
    return torch.div(index, by, rounding_mode="trunc")


def candidate_scores(logit: Tensor) -> Tensor:
    """Probability that there is an emitter, (t, 1, y, x) from logits; 0 where no localization may start.

    A local maximum collects the probability of its 3 x 3 pixels, because an emitter near a pixel's edge is shared out;
    a pixel that is sure by itself counts without being a maximum.
    """
    probability = torch.sigmoid(logit)
    total = (functional.avg_pool2d(probability, 3, 1, 1) * 9).clamp(max=1.0)
    peak = logit == functional.max_pool2d(logit, 3, 1, 1)
    sure = torch.where(probability > SURE, probability, torch.zeros_like(probability))
    return torch.where(peak, total, sure)
