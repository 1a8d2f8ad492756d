"""Networks that read crops with what the exporter asks of a graph; what torch says, and how far a file is from it."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from models.crops.scoring import Answer, Float32, Float64, columns_of
from models.systems.colouring import ColourReader
from models.systems.reading import Reader

R = TypeVar("R", Reader, ColourReader)


class DeployedCrops(nn.Module, Generic[R]):
    """A network for crops with what the exporter asks of a graph.

    Parameters
    ----------
    reader : Reader or ColourReader
    crop_px : int
    """

    def __init__(self, reader: R, crop_px: int) -> None:
        super().__init__()
        self.reader: R = reader.eval()
        self.crop_px = crop_px

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Axes and units as in `export.crops.INPUTS` and `OUTPUTS`."""
        return self.reader.table(counts, variance)

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free."""
        crops = {0: torch.export.Dim("crop", min=1)}
        planes = (self.reader.planes,) if self.reader.planes > 1 else ()
        counts, variance = (torch.rand(2, *planes, self.crop_px, self.crop_px) * most for most in (100, 2))
        return (counts, variance), (crops, crops)

    def answer(self) -> Answer:
        """Return the network as a function of arrays."""

        def answer(counts: Float32, variance: Float32) -> dict[str, Float64]:
            with torch.no_grad():
                table = self(torch.from_numpy(counts), torch.from_numpy(variance)).numpy()
            return columns_of(self.reader.columns, table)

        return answer

    def mac_per_pixel(self) -> int:
        """Return the multiply-accumulate operations of a crop over the pixels of one of its planes."""
        counter, (example, _) = FlopCounterMode(display=False), self.example()
        with counter, torch.no_grad():
            self(*example)
        return int(counter.get_total_flops()) // 2 // (len(example[0]) * self.crop_px**2)

    def beside_torch(self, path: Path, counts: Tensor, variance: Tensor) -> dict[str, float]:
        """Return by column the largest difference of a file in ONNX Runtime from the network in torch in float64."""
        session = onnxruntime.InferenceSession(path)
        (found,) = session.run(None, {"counts": counts.numpy(), "variance": variance.numpy()})
        with torch.no_grad():
            exact = deepcopy(self).double()(counts.double(), variance.double()).numpy()
        largest = np.abs(np.asarray(found) - exact).max(axis=0).tolist()
        return {name: float(f"{value:.2g}") for name, value in zip(self.reader.columns, largest, strict=True)}
