"""The graph with shapes that are known beforehand, for CUDA graphs and TensorRT: always the same number of rows.

Each frame is cut into blocks of 64 x 64 pixels, and each block has the same number of rows, the most probable first: so
neither a bright frame nor a bright corner takes the rows of another. What TensorRT lacks is gone round: 16-bit counts
come as pairs of bytes, nothing has a length that depends on the data, and a sort is of a block, not of a frame.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from export.card import Port
from export.graph import INPUTS, OUTPUTS, DeployedLocalizer, divided
from export.static_rows import BLOCK_PX, ROWS_PER_BLOCK
from models.feature_distance import FeatureDistance
from models.layers import OverFrames
from models.sample_space import SampleSpace

_PORTS = {port.name: port for port in (*INPUTS, *OUTPUTS)}
STATIC_INPUTS = (
    Port("frames", "uint8", ("t", "y", "x", "2"), "ADU: low byte, high byte"),
    *INPUTS[1:-1],
    Port("valid", "int64", (), "frames that count; those behind fill up the batch"),
    INPUTS[-1],
)
STATIC_OUTPUTS = (
    Port("table", "float32", ("t", "row", "column"), "see columns; the frame as `frame` of the other form"),
    Port("count", "int64", ("t",), "localizations found in each frame; more than it has rows if the table is small"),
    Port("context_out", "float32", _PORTS["context_out"].axes, "features of the last two frames that count"),
)


class StaticLocalizer(DeployedLocalizer):
    """A localizer whose table has as many rows for each block of each frame, filled or not.

    Parameters
    ----------
    network : OverFrames
    z_scale_nm : (float, float)
    novelty : FeatureDistance or None
        As `DeployedLocalizer`.
    rows_per_block : int
        A multiple of 16, at most 3840 (what TensorRT sorts).
    """

    def __init__(
        self, network: OverFrames, z_scale_nm: tuple[float, float] = (0.0, 1.0), novelty: FeatureDistance | None = None,
        rows_per_block: int = ROWS_PER_BLOCK,
    ) -> None:  # fmt: skip
        super().__init__(network, z_scale_nm, novelty)
        self.rows_per_block = rows_per_block

    def forward(  # type: ignore[override]
        self, frames: Tensor, offset: Tensor, gain: Tensor, variance: Tensor, excess: Tensor, threshold: Tensor,
        valid: Tensor, context: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """Axes, dtypes and units as in `STATIC_INPUTS` and `STATIC_OUTPUTS`."""
        pairs = frames.to(offset.dtype)
        counts = pairs[..., 0] + 256 * pairs[..., 1]
        maps, score, features = self._maps(counts, offset, gain, variance, excess, context)
        at, probability = self._best(score)
        table = self._rows(maps, probability, at, excess)
        found = (score > threshold).flatten(1).sum(1)
        newest = valid + torch.arange(2, device=valid.device)
        return table.reshape(len(frames), -1, table.shape[1]), found, features[newest]

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free: frames, rows and columns."""
        (frames, *maps, context), (stack, *planes, fields) = super().example()
        pairs = torch.randint(0, 200, (*frames.shape, 2)).to(torch.uint8)
        return (pairs, *maps, torch.tensor(3), context), (stack, *planes, None, fields)

    def _best(self, score: Tensor) -> tuple[Tensor, Tensor]:
        """Frame, y, x of the most probable pixels of each block, (k, 3), and their scores, (k,).

        What lies beyond the edge has score 0 and becomes the edge.
        """
        frames, _, height, width = score.shape
        down, across = ((side + BLOCK_PX - 1) // BLOCK_PX for side in (height, width))  # ONNX divides towards zero
        padded = functional.pad(score[:, 0], (0, across * BLOCK_PX - width, 0, down * BLOCK_PX - height))
        blocks = padded.reshape(frames, down, BLOCK_PX, across, BLOCK_PX).permute(0, 1, 3, 2, 4)
        best, inside = torch.topk(blocks.reshape(frames, down * across, BLOCK_PX**2), self.rows_per_block)
        block = torch.arange(down * across, device=score.device)[:, None]
        row, block_row = divided(inside, BLOCK_PX), divided(block, across)
        y = (block_row * BLOCK_PX + row).clamp(max=height - 1)
        x = ((block - block_row * across) * BLOCK_PX + inside - row * BLOCK_PX).clamp(max=width - 1)
        frame = torch.arange(frames, device=score.device)[:, None, None].expand_as(inside)
        return torch.stack((frame, y, x), dim=-1).reshape(-1, 3), best.flatten()


def deployed(
    network: OverFrames, space: SampleSpace, rows_per_block: int = 0, novelty: FeatureDistance | None = None
) -> DeployedLocalizer:
    """Return the graph of a network that was trained on this sample space; `rows_per_block` 0: as many as are found."""
    z_scale_nm = space.scale("z_nm") if network.dimensions == 3 else (0.0, 1.0)
    if rows_per_block:
        return StaticLocalizer(network, z_scale_nm, novelty, rows_per_block)
    return DeployedLocalizer(network, z_scale_nm, novelty)
