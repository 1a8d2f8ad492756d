"""A lane in torch: each batch size is captured once as a CUDA graph and replayed."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.card import Card
from export.graph import DeployedLocalizer
from stream.engine import Arrays
from stream.engines.buckets import BUCKETS
from stream.engines.lane import Filled, feature_shape
from stream.errors import EngineFault, OutOfMemory

WARM_UP = 3
"""Runs before a capture: libraries choose their algorithms, and reserve what they need, in the first ones."""


class _Place:
    """Memory of one batch: pinned on the host, and on the device; and a graph with its outputs for each size."""

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        self.host = torch.zeros((*shape, 2), dtype=torch.uint8, pin_memory=True)
        self.frames = torch.zeros((*shape, 2), dtype=torch.uint8, device=device)
        self.valid = torch.ones((), dtype=torch.int64, device=device)
        self.graphs: dict[int, tuple[torch.cuda.CUDAGraph, Tensor, Tensor]] = {}
        self.table: Tensor | None = None
        self.count: Tensor | None = None
        self.done = torch.cuda.Event()  # type: ignore[no-untyped-call]


class TorchLane:
    """A CUDA device, as `Lane` asks for it: one stream, everything on it in order.

    Parameters
    ----------
    module : DeployedLocalizer
        Of known shapes, on the device.
    card : Card
    maps : dict
        As in `Engine.plan`.
    places : int
    remarks : list of str
        Gets a line if memory does not do for all batch sizes.

    Raises
    ------
    OutOfMemory
        It does not do for a single frame.
    """

    def __init__(self, module: DeployedLocalizer, card: Card, maps: Arrays, places: int, remarks: list[str]) -> None:
        device = next(module.parameters()).device
        self._module, self._shape = module, maps["offset"].shape
        self._maps = [torch.tensor(maps[port.name], device=device) for port in card.inputs if port.name in maps]
        self._context = torch.zeros(feature_shape(card, self._shape), device=device)
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self.buckets: tuple[int, ...] = ()
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            self._make_ready(places, device, remarks)

    def frames(self, place: int) -> NDArray[np.uint8]:
        """Return the memory of a place; as `Lane.frames`."""
        kept = self._places[place]
        kept.done.synchronize()
        frames: NDArray[np.uint8] = kept.host.numpy()
        return frames

    def launch(self, place: int, bucket: int, valid: int) -> None:
        """Begin; as `Lane.launch`."""
        kept = self._places[place]
        graph, table, count = kept.graphs[bucket]
        with torch.inference_mode(), torch.cuda.stream(self._stream):
            kept.frames[:bucket].copy_(kept.host[:bucket], non_blocking=True)
            kept.valid.fill_(valid)
            graph.replay()
            assert kept.table is not None
            assert kept.count is not None
            kept.table[:bucket].copy_(table, non_blocking=True)
            kept.count[:bucket].copy_(count, non_blocking=True)
            kept.done.record(self._stream)

    def outcome(self, place: int) -> Filled:
        """Wait; as `Lane.outcome`."""
        kept = self._places[place]
        try:
            kept.done.synchronize()
        except RuntimeError as error:
            raise EngineFault(f"inference failed: {error}", remedy="see `nvidia-smi`; restart the run") from error
        assert kept.table is not None
        assert kept.count is not None
        return kept.table.numpy(), kept.count.numpy()

    def close(self) -> None:
        """Free the device's memory."""
        self._places.clear()
        torch.cuda.empty_cache()

    def _make_ready(self, places: int, device: torch.device, remarks: list[str]) -> None:
        """Capture all sizes, the smallest first, for as long as there is memory."""
        self._places = [_Place((BUCKETS[-1], *self._shape), device) for _ in range(places)]
        for bucket in BUCKETS:
            try:
                for place in self._places:
                    place.graphs[bucket] = self._capture(place, bucket)
            except torch.cuda.OutOfMemoryError as error:
                torch.cuda.empty_cache()
                if not self.buckets:
                    raise OutOfMemory(
                        f"the GPU has no memory for one frame of {self._shape[0]} x {self._shape[1]} pixels",
                        limit=str(error), remedy="use a smaller ROI",
                    ) from error  # fmt: skip
                remarks.append(f"the GPU has no memory for {bucket} frames at once: batches of {self.buckets[-1]}")
                break
            self.buckets = (*self.buckets, bucket)
        for place in self._places:
            _, table, count = place.graphs[self.buckets[-1]]
            place.table = torch.zeros(table.shape, dtype=table.dtype, pin_memory=True)
            place.count = torch.zeros(count.shape, dtype=count.dtype, pin_memory=True)

    def _capture(self, place: _Place, bucket: int) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor]:
        for _ in range(WARM_UP):
            self._compute(place, bucket)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream):
            table, count = self._compute(place, bucket)
        return graph, table, count

    def _compute(self, place: _Place, bucket: int) -> tuple[Tensor, Tensor]:
        table, count, context = self._module(place.frames[:bucket], *self._maps, place.valid, self._context)
        self._context.copy_(context)
        return table, count
