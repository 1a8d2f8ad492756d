"""The engines; each vendor's library is imported only when its engine is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from stream.engine import Engine

ENGINES = {"onnx-runtime": "stream.engines.onnx_runtime:OnnxRuntimeEngine"}


def open_engine(name: str, model: Path, device: str, threads: int) -> Engine:
    """Return the engine called `name` with `model` loaded; `name` is a key of ENGINES."""
    module, attribute = ENGINES[name].split(":")
    engine: Engine = getattr(import_module(module), attribute)(model, device=device, threads=threads)
    return engine
