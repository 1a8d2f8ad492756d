"""A network that predicts images, as a file: the same as in torch, and said to be no measurement."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from export.prediction import INPUTS, DeployedPrediction, describe_prediction
from export.to_onnx import write
from models.predicted.space import PREDICTED
from models.systems import SYSTEMS
from models.systems.anna_palm import AnnaPalm

LARGEST_BYTES = 12_000_000


def test_file_is_small_and_says_the_same_as_torch(tmp_path: Path) -> None:
    torch.manual_seed(1)
    module, recipe = DeployedPrediction(AnnaPalm()), SYSTEMS["anna-palm"].recipe
    path = tmp_path / "anna-palm.onnx"
    card = write(module, describe_prediction(module, PREDICTED, recipe, {"recipe": asdict(recipe)}), path)
    assert path.stat().st_size < LARGEST_BYTES
    assert all("no measurement" in port.unit for port in card.outputs[:1])
    tile = [torch.rand(1, *(int(side) for side in port.axes[1:])) for port in INPUTS]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = session.run(None, {port.name: one.numpy() for port, one in zip(INPUTS, tile, strict=True)})
    with torch.no_grad():
        expected = module(*tile)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)  # of up to 2; float32 in another order is 3e-5 off
