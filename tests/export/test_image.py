"""Networks that draw images: the file says what torch says, of any frame size and batch; how far they see."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from export.card import METADATA_KEY, Card
from export.image import DeployedImage, describe_image, inputs_of, scores_image
from export.reach import image_reach_px
from export.to_onnx import write
from models.camera import Camera
from models.evaluation.conditions import in_focus
from models.images.space import image_space
from models.recipe import Recipe
from models.sample_space import LOCALIZER_2D
from models.systems.deep_storm import NETWORKS, DeepStorm, LightDeepStorm

EMCCD = Camera(offset_adu=90, gain_adu_per_e=0.2, em_gain=100, read_noise_e=30)


@pytest.fixture(scope="module", params=NETWORKS)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[DeployedImage, Path]:
    torch.manual_seed(0)
    network = NETWORKS[request.param]()
    path = tmp_path_factory.mktemp("image") / "model.onnx"
    module = DeployedImage(network)
    write(module, describe_image(network, image_space(LOCALIZER_2D), Recipe(system=request.param), {}), path)
    return module, path


@pytest.mark.parametrize("shape", [(1, 33, 17), (3, 24, 20), (2, 8, 9)], ids=str)
def test_the_file_says_what_torch_says(exported: tuple[DeployedImage, Path], shape: tuple[int, int, int]) -> None:
    module, path = exported
    frames = np.random.default_rng(1).poisson(300, shape).astype("u2") + 90
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    feed = inputs_of(frames, EMCCD)
    (image,) = session.run(None, feed)
    with torch.no_grad():
        said = module(*(torch.from_numpy(np.asarray(values)) for values in feed.values()))
    assert image.shape == (8 * shape[1], 8 * shape[2])
    np.testing.assert_allclose(image, said.numpy(), atol=1e-5 * float(said.max()))
    alone = [session.run(None, feed | {"frames": frames[k : k + 1]})[0] for k in range(len(frames))]
    np.testing.assert_allclose(sum(alone), image, atol=1e-5 * float(said.max()))
    card = Card.from_json(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    assert (card.upsampling, card.multiple_px) == (8, module.network.multiple_px)
    assert "finer than what the camera samples" in card.outputs[0].unit


def test_how_far_they_see() -> None:
    assert image_reach_px(DeepStorm()) <= 4  # published layers, three poolings on an eighth of a pixel
    assert image_reach_px(LightDeepStorm()) == 19
    deep = LightDeepStorm()
    deep.blocks.extend(LightDeepStorm().blocks)
    with pytest.raises(ValueError, match="at least"):
        image_reach_px(deep, most_px=32)


def test_scores_are_beside_the_sum() -> None:
    conditions = in_focus()
    found = scores_image(lambda stack, camera: np.ones((512, 512), np.float32), conditions, frames=2)
    assert found["by_density_per_um2"].keys() == found["sum_of_frames"].keys()
    assert all(row["nmse"] <= 1 for row in found["sum_of_frames"].values())


def test_the_card_says_what_was_done_to_the_counts() -> None:
    card = describe_image(LightDeepStorm(), image_space(LOCALIZER_2D), Recipe(system="deep-storm-light"), {})
    assert "hot pixel" in card.provenance["normalisation"]
    assert Card.from_json(replace(card, scores={}).to_json()) == card
