"""Which engines are really usable here: each one loads a small model and computes, and its answer is looked at.

That a package is there proves nothing: ONNX Runtime lists CUDA where there is no driver, and falls back in silence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream import zoo
from stream.config import EngineSettings
from stream.engine import Arrays, Engine
from stream.engines import ENGINES, open_engine
from stream.errors import LiveSMLMError

MODEL = "2d-fast"
SIDE_PX, LEVEL_ADU, SPOT_ADU = 32, 120, 400
AGREE = {"model": 1e-3, "bf16": 0.05}
"""How far, relatively, the row of a spot may be from what ONNX Runtime says on the CPU."""


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a try.

    Parameters
    ----------
    engine, device, precision : str
        As in `[engine]` of rig.toml.
    usable : bool
    says : str
        Version and device, or why it is not usable and what to do.
    """

    engine: str
    device: str
    precision: str
    usable: bool
    says: str


def probe() -> list[Found]:
    """Try every engine with every device and precision."""
    wanted = _answer(open_engine(zoo.find(MODEL), EngineSettings()))
    return [
        _try(EngineSettings.model_validate({"name": name, "device": device, "precision": precision}), wanted)
        for name, kind in ENGINES.items()
        for device, precision in kind.choices
    ]


def _try(settings: EngineSettings, wanted: Arrays) -> Found:
    try:
        engine = open_engine(zoo.find(MODEL), settings)
        says = engine.device
        wrong = _difference(_answer(engine), wanted, AGREE[settings.precision])
    except LiveSMLMError as error:
        says, wrong = "", str(error).replace("\n", "; ")
    return Found(settings.name, settings.device, settings.precision, not wrong, wrong or says)


def _answer(engine: Engine) -> Arrays:
    """Locate one spot, and close the engine."""
    card, shape = engine.card, (SIDE_PX, SIDE_PX)
    frames = np.full((2, *shape), LEVEL_ADU, np.uint16)
    frames[0, 15:18, 15:18] += SPOT_ADU
    padded = SIDE_PX // card.stride
    inputs: Arrays = {
        "frames": frames, "offset": np.full(shape, 100, np.float32), "gain": np.full(shape, 2, np.float32),
        "variance": np.full(shape, 2, np.float32), "excess": np.ones((), np.float32),
        "threshold": np.full((), card.threshold, np.float32),
        "context": np.zeros((2, card.features, padded, padded), np.float32),
    }  # fmt: skip
    try:
        return engine.run(inputs)
    finally:
        engine.close()


def _difference(found: Arrays, wanted: Arrays, tolerance: float) -> str:
    """Say what is wrong with an answer; nothing if it is as it should be."""
    table, truth = (np.asarray(answer["table"], np.float64) for answer in (found, wanted))
    if table.shape != truth.shape:
        return f"it finds {len(table)} molecules where there are {len(truth)}"
    if not np.allclose(table, truth, rtol=tolerance, atol=tolerance):
        return f"its answer is off by {np.abs(table - truth).max():.3g}"
    return ""
