"""What is listed as usable has computed; what is not says why, and what to do."""

import subprocess
import sys
from pathlib import Path

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
    rows = np.zeros((3, 8), np.float32)
    answers = iter([rows, rows, rows + 1])

    def answer(engine):
        engine.close()
        return next(answers, rows[:2])

    monkeypatch.setattr(probe, "_answer", answer)
    found = probe.probe()
    assert not found[0].usable
    assert "off by 1" in found[0].says
    assert "finds 2 molecules where there are 3" in next(one.says for one in found if one.engine == "openvino")


def test_an_engine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    monkeypatch.delitem(sys.modules, "stream.engines.openvino", raising=False)
    with pytest.raises(ModelError, match="openvino is not installed") as error:
        open_engine(find("localizer-2d"), EngineSettings(name="openvino"))
    assert "livesmlm[openvino]" in error.value.remedy


def test_an_engine_whose_library_does_not_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tensorrt.py").write_text("raise ImportError('libnvinfer.so.11: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "stream.engines.tensorrt_plan", raising=False)
    with pytest.raises(ModelError, match=r"'tensorrt': it does not load: libnvinfer\.so\.11") as error:
        open_engine(find("localizer-2d"), EngineSettings(name="tensorrt", device="cuda"))
    assert "livesmlm[tensorrt]" in error.value.remedy


def test_a_choice_that_an_engine_does_not_have() -> None:
    with pytest.raises(ModelError, match="device = 'cuda'") as error:
        open_engine(find("localizer-2d"), EngineSettings(name="openvino", device="cuda"))
    assert "device cpu with precision bf16" in error.value.limit


def test_openvino_reports_nothing_to_anybody() -> None:
    code = "import threading, stream.engines.openvino; print(threading.active_count())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "1\n"  # its report is sent by a thread that begins with the import
