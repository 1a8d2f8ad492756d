"""The engines; each vendor's library is imported only when its engine is asked for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from stream.config import EngineSettings
from stream.engine import Engine
from stream.errors import ModelError


class Kind(NamedTuple):
    """An engine that can be asked for.

    Attributes
    ----------
    target : str
        Module and class; called with model, device, threads and precision.
    extra : str
        What pip installs it with; empty if it is always there.
    choices : tuple of (device, precision)
        What `livesmlm engines` tries.
    """

    target: str
    extra: str
    choices: tuple[tuple[str, str], ...]


ENGINES = {
    "onnx-runtime": Kind("stream.engines.onnx_runtime:OnnxRuntimeEngine", "", (("cpu", "model"), ("cuda", "model"))),
    "tensorrt": Kind("stream.engines.tensorrt_plan:TensorRtEngine", "tensorrt", (("cuda", "model"),)),
    "torch": Kind("stream.engines.torch_compiled:TorchEngine", "train", (("cpu", "model"), ("cuda", "model"))),
    "openvino": Kind("stream.engines.openvino:OpenVinoEngine", "openvino", (("cpu", "model"), ("cpu", "bf16"))),
}


def open_engine(model: Path, settings: EngineSettings) -> Engine:
    """Return an engine with `model` loaded.

    Raises
    ------
    ModelError
        The engine is not installed, its device is not usable, or the file is not a model of ours.
    """
    if settings.processes > 1:
        from stream.engines.fleet import Fleet

        return Fleet(model, settings)
    kind = ENGINES[settings.name]
    if (settings.device, settings.precision) not in kind.choices:
        raise ModelError(
            f"[engine] name = {settings.name!r} with device = {settings.device!r}, precision = {settings.precision!r}",
            limit="it has " + ", ".join(f"device {d} with precision {p}" for d, p in kind.choices),
            remedy="`livesmlm engines` lists what is usable here",
        )  # fmt: skip
    module, attribute = kind.target.split(":")
    try:
        made = getattr(import_module(module), attribute)
    except ImportError as error:
        wrong = (
            f"{error.name} is not installed" if isinstance(error, ModuleNotFoundError) else f"it does not load: {error}"
        )
        raise ModelError(
            f"[engine] name = {settings.name!r}: {wrong}",
            remedy=f"pip install 'livesmlm[{kind.extra}]', or use name = \"onnx-runtime\"",
        ) from error
    engine: Engine = made(model, device=settings.device, threads=settings.threads, precision=settings.precision)
    if settings.tiles == "all":
        return engine
    from stream.engines.active_tiles import ActiveEngine

    return ActiveEngine(engine)
