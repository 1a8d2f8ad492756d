"""OpenVINO: the contract, the same answer as ONNX Runtime, and what it refuses."""

import numpy as np
import openvino
import pytest

from stream import zoo
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.engines.openvino import OpenVinoEngine
from stream.errors import ModelError
from tests.contracts_engine import EngineContract, spots

MODEL = zoo.find("2d-fast")
HAS_BF16 = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


class TestOpenVino(EngineContract):
    settings = EngineSettings(name="openvino", threads=1)

    def test_it_says_what_onnx_runtime_says(self, engine) -> None:
        other = open_engine(MODEL, EngineSettings(threads=1))
        inputs = self.inputs(engine, spots(6))
        ours, theirs = (self.table(one.run(inputs)) for one in (engine, other))
        other.close()
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(HAS_BF16, reason="this processor has bfloat16")
def test_a_processor_without_bfloat16_does_not_pretend() -> None:
    with pytest.raises(ModelError, match="computes no bfloat16"):
        OpenVinoEngine(MODEL, precision="bf16")


@pytest.mark.skipif(not HAS_BF16, reason="this processor has no bfloat16")
def test_bfloat16_finds_the_same_molecules() -> None:
    exact, quick = (OpenVinoEngine(MODEL, precision=precision) for precision in ("model", "bf16"))
    contract = EngineContract()
    tables = [contract.table(one.run(contract.inputs(one, spots(8)))) for one in (exact, quick)]
    assert len(tables[0]) == len(tables[1])
    np.testing.assert_allclose(tables[1][:, 1:3], tables[0][:, 1:3], atol=0.05)
