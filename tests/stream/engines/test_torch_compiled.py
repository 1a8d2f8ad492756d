"""torch: the contract, the same answer as ONNX Runtime, and what it refuses."""

import numpy as np
import pytest
import torch

from stream.config import EngineSettings
from stream.engines import open_engine
from stream.engines.torch_compiled import TorchEngine
from stream.errors import ModelError
from stream.zoo import find
from tests.contracts_engine import MODEL, EngineContract, spots

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")


class TestTorch(EngineContract):
    settings = EngineSettings(name="torch")
    batch_matters = 1e-4  # torch chooses how it computes by the size of the batch

    def test_it_says_what_onnx_runtime_says(self, engine) -> None:
        other = open_engine(MODEL, EngineSettings(threads=1))
        inputs = self.inputs(engine, spots(6))
        ours, theirs = (self.table(one.run(inputs)) for one in (engine, other))
        other.close()
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.gpu
@needs_cuda
class TestTorchOnCuda(EngineContract):
    settings = EngineSettings(name="torch", device="cuda")
    batch_matters = 1e-3


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_that_is_not_there() -> None:
    with pytest.raises(ModelError, match="finds no CUDA device"):
        TorchEngine(MODEL, device="cuda")


@pytest.mark.parametrize(
    ("name", "said"), [("2d-bgnet", "torch computes localizers in fp32 and fp16"), ("localizer-2d", "another version")]
)
def test_models_that_torch_does_not_compute(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        TorchEngine(find(name))
