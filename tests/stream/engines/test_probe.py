"""What is listed as usable has computed; what is not says why, and what to do."""

import subprocess
import sys

import numpy as np
import pytest

from stream.config import EngineSettings
from stream.engines import ENGINES, open_engine, probe
from stream.errors import ModelError
from stream.zoo import find


def test_every_choice_is_tried_and_the_default_is_usable() -> None:
    found = probe.probe()
    assert len(found) == sum(len(kind.choices) for kind in ENGINES.values())
    assert found[0].usable
    assert "ONNX Runtime" in found[0].says
    assert all(one.says for one in found)


def test_an_engine_that_computes_nonsense_is_not_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([{"table": np.zeros((3, 8))}, *[{"table": np.ones((3, 8))}] * 3, {"table": np.zeros((2, 8))}])

    def answer(engine):
        engine.close()
        return next(answers, {"table": np.zeros((3, 8))})

    monkeypatch.setattr(probe, "_answer", answer)
    found = probe.probe()
    assert not found[0].usable
    assert "off by 1" in found[0].says


def test_an_engine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "stream.engines.openvino", raising=False)
    with pytest.raises(ModelError, match="openvino is not installed") as error:
        open_engine(find("localizer-2d"), EngineSettings(name="openvino"))
    assert "livesmlm[openvino]" in error.value.remedy


def test_a_choice_that_an_engine_does_not_have() -> None:
    with pytest.raises(ModelError, match="device = 'cuda'") as error:
        open_engine(find("localizer-2d"), EngineSettings(name="openvino", device="cuda"))
    assert "device cpu with precision bf16" in error.value.limit


def test_openvino_reports_nothing_to_anybody() -> None:
    code = "import threading, stream.engines.openvino; print(threading.active_count())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "1\n"  # its report is sent by a thread that begins with the import
