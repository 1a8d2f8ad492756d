"""A network that draws images, untrained, as a file: what is tested here is the way of its picture."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from export.image import DeployedImage, describe_image
from export.to_onnx import write
from models.images.space import image_space
from models.recipe import Recipe
from models.sample_space import LOCALIZER_2D
from models.systems.deep_storm import LightDeepStorm


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    network = LightDeepStorm().eval()
    path = tmp_path_factory.mktemp("image") / "untrained.onnx"
    recipe = Recipe(system="deep-storm-light")
    write(DeployedImage(network), describe_image(network, image_space(LOCALIZER_2D), recipe, {}), path)
    return path
