"""Which engines are really usable here: each one loads a small model and computes, and its answer is looked at.

That a package is there proves nothing: ONNX Runtime lists CUDA where there is no driver, and falls back in silence.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream import zoo
from stream.config import EngineSettings
from stream.engine import Arrays, Engine
from stream.engines import ENGINES, open_engine
from stream.errors import LiveSMLMError

Table = NDArray[np.float32]
MODELS = {"cpu": "2d-fast", "cuda": "2d-fast-fp16-static"}
"""What is tried on each device: the form that is meant for it."""
SIDE_PX, LEVEL_ADU, SPOT_ADU = 32, 120, 400
AGREE = {("cpu", "model"): 1e-3, ("cpu", "bf16"): 0.05, ("cuda", "model"): 0.02}
"""How far, relatively, the row of a spot may be from what ONNX Runtime says on the CPU; on CUDA in float16."""


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
    wanted = {device: _answer(open_engine(zoo.find(model), EngineSettings())) for device, model in MODELS.items()}
    return [
        _try(EngineSettings.model_validate({"name": name, "device": device, "precision": precision}), wanted[device])
        for name, kind in ENGINES.items()
        for device, precision in kind.choices
    ]


def _try(settings: EngineSettings, wanted: Table) -> Found:
    try:
        engine = open_engine(zoo.find(MODELS[settings.device]), settings)
        says = engine.device
        wrong = _difference(_answer(engine), wanted, AGREE[settings.device, settings.precision])
    except LiveSMLMError as error:
        says, wrong = "", str(error).replace("\n", "; ")
    return Found(settings.name, settings.device, settings.precision, not wrong, wrong or says)


def _answer(engine: Engine) -> Table:
    """Locate one spot as a run would, and close the engine; a row for each that was found."""
    shape = (SIDE_PX, SIDE_PX)
    frames = np.full((2, *shape), LEVEL_ADU, np.uint16)
    frames[0, 15:18, 15:18] += SPOT_ADU
    maps: Arrays = {
        "offset": np.full(shape, 100, np.float32), "gain": np.full(shape, 2, np.float32),
        "variance": np.full(shape, 2, np.float32), "excess": np.ones((), np.float32),
        "threshold": np.full((), engine.card.threshold, np.float32),
    }  # fmt: skip
    with closing(engine):
        plan = engine.plan(maps)
        return plan.wait(plan.submit(frames, anew=True)).table


def _difference(found: Table, wanted: Table, tolerance: float) -> str:
    """Say what is wrong with an answer; nothing if it is as it should be."""
    if found.shape != wanted.shape:
        return f"it finds {len(found)} molecules where there are {len(wanted)}"
    if not np.allclose(found, wanted, rtol=tolerance, atol=tolerance):
        return f"its answer is off by {np.abs(found - wanted).max():.3g}"
    return ""
