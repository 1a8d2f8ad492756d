"""A network that predicts dense images, untrained, as a file: what is tested here is the way of its pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from export.prediction import DeployedPrediction, describe_prediction
from export.to_onnx import write
from models.predicted.space import PREDICTED
from models.systems import SYSTEMS
from models.systems.anna_palm import AnnaPalm


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    module, path = DeployedPrediction(AnnaPalm()), tmp_path_factory.mktemp("prediction") / "untrained.onnx"
    write(module, describe_prediction(module, PREDICTED, SYSTEMS["anna-palm"].recipe, {}), path)
    return path
