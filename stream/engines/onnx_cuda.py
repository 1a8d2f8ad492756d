"""ONNX Runtime's work in the stream of a CUDA lane: bound to memory of the lane, one session for each batch size.

Decision: sessions are not shared between batch sizes. Context: with all lengths known when a session is opened, what
the graph computes of shapes is done beforehand; else it would be done on the CPU at each batch, and could not be in a
CUDA graph. Consequence: the weights lie in the device's memory once for each size, half a megabyte for `fast`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import onnxruntime as ort

from export.card import Card
from stream.engines.cuda_lane import output_shapes
from stream.engines.faults import fault_of
from stream.engines.lane import feature_shape
from stream.engines.onnx_providers import CUDA, EXACT, REMEDY, RUNTIME_ERRORS


def on_stream(stream: int) -> tuple[str, dict[str, str]]:
    """Return the provider that puts its work into a stream, and replays it as CUDA graphs of its own."""
    return CUDA, {**EXACT, "user_compute_stream": str(stream), "enable_cuda_graph": "1"}


class OnnxRuntimeComputes:
    """Sessions of ONNX Runtime, as `Computes` of a lane.

    Parameters
    ----------
    model : Path
        Of known shapes.
    card : Card
    axes : mapping of str to sequence
        The file's own names of the axes of each input; numbers where they are fixed.
    shape : (int, int)
        Of a frame: y, x.
    provider : callable
        Takes the stream, returns a provider and its options.
    device : str
        Where the memory lies, in ONNX Runtime's words.
    """

    captures = True

    def __init__(
        self, model: Path, card: Card, axes: Mapping[str, Sequence[str | int]], shape: tuple[int, ...],
        provider: Callable[[int], tuple[str, dict[str, str]]] = on_stream, device: str = "cuda",
    ) -> None:  # fmt: skip
        self._model, self._card, self._axes, self._shape = model, card, axes, shape
        self._provider, self._device = provider, device
        self._sessions: dict[int, ort.InferenceSession] = {}
        self._graphs = 0

    def ready(self, buckets: tuple[int, ...]) -> None:
        """Forget the sessions of before; memory is taken with the first batch; as `Computes.ready`."""
        self.close()

    def bound(self, bucket: int, pointers: Mapping[str, int], stream: int) -> Callable[[], None]:
        """Bind one batch size and place; as `Computes.bound`."""
        try:
            session = self._sessions.get(bucket) or self._opened(bucket, stream)
            binding = session.io_binding()
        except RUNTIME_ERRORS as error:
            raise fault_of(error, {}, REMEDY) from error
        shapes = self._shapes(bucket)
        for port in self._card.inputs:
            place = (self._device, 0, port.dtype, shapes[port.name], pointers[port.name])
            binding.bind_input(port.name, *place)
        for port in self._card.outputs:
            place = (self._device, 0, port.dtype, shapes[port.name], pointers[port.name])
            binding.bind_output(port.name, *place)
        self._graphs += 1  # the addresses are part of a graph: so each binding has one of its own
        options = ort.RunOptions()
        options.add_run_config_entry("gpu_graph_id", str(self._graphs))
        options.add_run_config_entry("disable_synchronize_execution_providers", "1")

        def run() -> None:
            try:
                session.run_with_iobinding(binding, options)
            except RUNTIME_ERRORS as error:
                raise fault_of(error, {}, REMEDY) from error

        return run

    def close(self) -> None:
        """Give the memory back; as `Computes.close`."""
        self._sessions.clear()

    def _shapes(self, bucket: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of each input and output."""
        known = {"t": bucket, "y": self._shape[0], "x": self._shape[1], "2": 2}
        shapes = {
            port.name: tuple(known[axis] for axis in port.axes) for port in self._card.inputs if port.name != "context"
        }
        return shapes | {"context": feature_shape(self._card, self._shape)} | output_shapes(
            self._card, self._shape, bucket
        )  # fmt: skip

    def _opened(self, bucket: int, stream: int) -> ort.InferenceSession:
        """Open a session in which all lengths are known."""
        name, settings = self._provider(stream)
        options = ort.SessionOptions()
        options.log_severity_level = 3
        for axis, length in self._lengths(bucket).items():
            options.add_free_dimension_override_by_name(axis, length)
        session = ort.InferenceSession(self._model, options, providers=[(name, settings)])
        self._sessions[bucket] = session
        return session

    def _lengths(self, bucket: int) -> dict[str, int]:
        """Return what the file's own names of axes stand for."""
        shapes = self._shapes(bucket)
        return {
            axis: length
            for name, axes in self._axes.items()
            for axis, length in zip(axes, shapes[name], strict=True)
            if isinstance(axis, str)
        }
