"""ONNX Runtime: the contract, and models and devices that it cannot use."""

import onnxruntime
import pytest

from stream import zoo
from stream.config import EngineSettings
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.errors import ModelError
from tests.contracts_engine import EngineContract

MODEL = zoo.find("2d-fast")


class TestOnnxRuntime(EngineContract):
    settings = EngineSettings(threads=1)


def test_no_such_device() -> None:
    with pytest.raises(ModelError, match="device = 'tpu'") as error:
        OnnxRuntimeEngine(MODEL, device="tpu")
    assert "cpu, cuda" in error.value.limit


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="there is CUDA here")
def test_cuda_that_is_not_there_is_not_replaced_in_silence() -> None:
    with pytest.raises(ModelError, match=r"'cuda' is not usable: ONNX Runtime .* gave .*CPUExecutionProvider") as error:
        OnnxRuntimeEngine(MODEL, device="cuda")
    assert "livesmlm[gpu]" in error.value.remedy
