"""A localizer of colours: the file says what torch says; of two colours that claim a place the likelier one is told."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from export.card import METADATA_KEY, Card
from export.channels import DeployedChannels, describe_channels, told
from export.evaluate import feed, locator
from export.to_onnx import write
from models.aberrations.space import with_objective
from models.camera import Camera
from models.evaluation.report import Effort
from models.masks.layer import ImageLayer
from models.masks.learned import LearnedMask
from models.masks.modulator import Modulator
from models.masks.scoring import CAMERA, judged, single
from models.masks.space import COLOURS_IN_FOCUS
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.recipe import Recipe
from models.systems.hershko import HershkoLocalizer
from stream.commands.evaluate_any import evaluate_in_terminal
from stream.errors import ModelError

SPACE = with_objective(COLOURS_IN_FOCUS, Objective())


@pytest.fixture(scope="module")
def module() -> DeployedChannels:
    torch.manual_seed(0)
    network = HershkoLocalizer(3, 8).eval()
    network.head.bias.data.view(3, -1, 4)[:, 0] = torch.randn(3, 4) / 2 - 3  # an untrained one that says something
    network.head.weight.data *= 3
    return DeployedChannels(network)


@pytest.fixture(scope="module")
def path(module: DeployedChannels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("channels") / "hershko.onnx"
    write(module, describe_channels(module, SPACE, Recipe(system="hershko", psf=""), {}), where)
    return where


@pytest.mark.parametrize("shape", [(4, 24, 20), (2, 17, 30)], ids=str)
def test_the_file_says_what_torch_says(module: DeployedChannels, path: Path, shape: tuple[int, int, int]) -> None:
    frames = np.random.default_rng(1).poisson(12, shape).astype("u2") + 100
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = feed(module, frames, Camera(), 0.3)
    names = [port.name for port in session.get_inputs()]
    frame, table, count, _ = session.run(None, dict(zip(names, given, strict=True)))
    with torch.no_grad():
        said = module(*(torch.from_numpy(np.asarray(values)) for values in given))
    assert count == len(table) > 10
    assert (frame == said[0].numpy()).all()
    np.testing.assert_allclose(table, said[1].numpy(), rtol=1e-3, atol=1e-3)
    card = Card.from_json(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    channel = table[:, card.columns.index("channel")]
    assert set(channel) <= {0, 1, 2}
    assert (np.diff(frame) >= 0).all()
    share = table[:, card.columns.index("channel_probability")]
    assert ((share > 0) & (share <= 1)).all()


def test_it_is_not_judged_on_frames_behind_other_optics_nor_on_crops(path: Path) -> None:
    with pytest.raises(ModelError, match="behind a mask of its own"):
        evaluate_in_terminal([str(path)], Effort(1, 10), None, False)


def test_the_likelier_colour_is_told() -> None:
    score = torch.zeros(1, 2, 12, 12)
    score[0, 0, 4, 4], score[0, 1, 5, 5], score[0, 1, 10, 10] = 0.9, 0.6, 0.7
    share = told(score)
    assert share[0, 0, 4, 4] == pytest.approx(0.6, abs=1e-5)
    assert share[0, 1, 5, 5] == 0
    assert share[0, 1, 10, 10] == pytest.approx(1, abs=1e-5)
    same = torch.zeros(1, 2, 8, 8)
    same[0, :, 4, 4] = 1.0
    assert (told(same)[0, :, 4, 4] > 0).tolist() == [True, False]


def test_scores_of_who_knows_the_truth_and_of_who_knows_nothing(module: DeployedChannels) -> None:
    spots = ImageLayer([Setup(Objective(wavelength_nm=nm), pupil_samples=32) for nm in (565, 655)], 110, 13).spots(
        LearnedMask(Modulator(pixels=8))
    )
    seen = single(spots, 1000.0, 10, 4)
    assert seen.stack.shape == (10, 40, 40)
    assert np.isfinite(seen.bound_nm).all()

    def knows(stack, camera):
        from models.localizations import Localizations

        x, y = (seen.position_nm + seen.bound_nm).T
        ones = np.ones(10)
        columns = {"frame": np.arange(10), "x_nm": x, "y_nm": y, "channel": seen.colour, "probability": ones}
        return Localizations(columns)

    found = judged(knows, seen)
    assert (found["found"], found["right_colour"], found["spurious"]) == (1, 1, 0)
    assert found["over_bound"] == pytest.approx(1, abs=1e-3)
    nothing = judged(locator(module, 2.0, 110.0), seen)
    assert nothing["found"] == 0
    assert CAMERA.read_noise_e == 1.5
