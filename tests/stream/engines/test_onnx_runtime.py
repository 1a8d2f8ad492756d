"""ONNX Runtime: the contract, and models and devices that it cannot use."""

from pathlib import Path

import onnx
import onnxruntime
import pytest

from export.card import METADATA_KEY
from stream import zoo
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.errors import ModelError
from tests.contracts_engine import EngineContract

MODEL = zoo.find("localizer-2d")


class TestOnnxRuntime(EngineContract):
    @pytest.fixture
    def engine(self):
        engine = open_engine(MODEL, EngineSettings(threads=1))
        yield engine
        engine.close()


def changed(folder: Path, card: str | None) -> Path:
    """Return the model with another card; None for no card at all."""
    model = onnx.load(MODEL)
    kept = [entry for entry in model.metadata_props if entry.key != METADATA_KEY]
    model.ClearField("metadata_props")
    model.metadata_props.extend(kept)
    if card is not None:
        onnx.helper.set_model_props(model, {METADATA_KEY: card})
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def test_no_such_device() -> None:
    with pytest.raises(ModelError, match="device = 'tpu'") as error:
        OnnxRuntimeEngine(MODEL, device="tpu")
    assert "cpu, cuda" in error.value.limit


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="there is CUDA here")
def test_cuda_that_is_not_there_is_not_replaced_in_silence() -> None:
    with pytest.raises(ModelError, match=r"'cuda' is not usable: ONNX Runtime gave .*CPUExecutionProvider") as error:
        OnnxRuntimeEngine(MODEL, device="cuda")
    assert "livesmlm[gpu]" in error.value.remedy


@pytest.mark.parametrize("content", [None, b"", b"not a model"])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=r"cannot load model .*model\.onnx"):
        OnnxRuntimeEngine(path)


def test_a_model_of_somebody_else(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="carries no LiveSMLM card"):
        OnnxRuntimeEngine(changed(tmp_path, None))


@pytest.mark.parametrize(
    ("find", "put", "said"),
    [
        ('"format": 1', '"format": 99', "card format 99, this version reads format 1"),
        ('"name": "frames"', '"name": "images"', "the card names ports"),
        ('"look_ahead"', '"look_behind"', "not a model card"),
    ],
)
def test_a_card_that_does_not_fit(tmp_path: Path, find: str, put: str, said: str) -> None:
    text = next(entry.value for entry in onnx.load(MODEL).metadata_props if entry.key == METADATA_KEY)
    assert find in text
    with pytest.raises(ModelError, match=said):
        OnnxRuntimeEngine(changed(tmp_path, text.replace(find, put, 1)))
