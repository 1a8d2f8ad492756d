"""Where ONNX Runtime computes, and what it raises."""

from __future__ import annotations

from onnxruntime.capi import onnxruntime_pybind11_state as failure

CUDA = "CUDAExecutionProvider"
EXACT = {"use_tf32": "0"}
"""Options on CUDA: TF32 would round what the file says is float32 to eleven bits."""
PROVIDERS: dict[str, tuple[str, dict[str, str]]] = {"cpu": ("CPUExecutionProvider", {}), "cuda": (CUDA, EXACT)}
# Its own errors have no base of their own, so they are named; wrong feeds raise the built-in ones.
RUNTIME_ERRORS = (
    failure.Fail, failure.InvalidArgument, failure.InvalidGraph, failure.InvalidProtobuf, failure.NoSuchFile,
    failure.NotImplemented, failure.RuntimeException, failure.EPFail, RuntimeError, ValueError, MemoryError,
)  # fmt: skip
REMEDY = 'try `livesmlm check` with [engine] device = "cpu"; if that works, the device\'s driver or memory is at fault'
