"""A network that tells colours from training to its scores: what each command writes, and what it refuses."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from export import colour
from models.evaluation.report import Effort
from stream import zoo
from stream.channels import channels_of
from stream.commands.evaluate_any import evaluate_in_terminal
from stream.commands.training import export_in_terminal, recipe_of, train_in_terminal
from stream.config import Rig
from stream.crops import localizes_in_crops
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.errors import InputError

SPACE = """
[space]
z_nm = [-60, 60]
[[colour]]
wavelength_nm = 520
width_nm = 0
[[colour]]
wavelength_nm = 680
width_nm = 0
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A network that has hardly learned anything."""
    folder = tmp_path_factory.mktemp("colour")
    (folder / "space.toml").write_text(SPACE)
    recipe = replace(recipe_of("kim", "", "fast", 1, 2, str(folder / "space.toml"), ""), batch=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(colour, "CROPS", 40)
        patch.setattr(colour, "QUICK", 40)
        patch.setattr(colour, "PHOTONS", (300.0, 10_000.0))
        assert train_in_terminal(recipe, folder / "run", resume=False) == 0
        assert export_in_terminal(str(folder / "run"), folder / "kim.onnx", "fp32", "onnx") == 0
        yield folder / "kim.onnx"


def test_the_file_says_what_torch_says_and_its_card_what_it_is_for(model: Path) -> None:
    engine = OnnxRuntimeEngine(model)
    card = engine.card
    assert card.name == "kim-fast"
    assert localizes_in_crops(card)
    assert "520 nm, 680 nm" in card.title
    assert card.scores["beside_torch_float64"]["z_nm"] < 0.05
    assert card.scores["beside_torch_float64"]["channel_probability"] < 1e-4
    dim = card.scores["by_photons"]["300 photons"]
    assert 0 <= dim["accuracy"] <= 1
    assert dim["maximum likelihood"]["accuracy"] > 0.5
    for count in (1, 5):
        crops = np.random.default_rng(1).poisson(30, (count, 16, 16)).astype("f4")
        assert engine.run({"counts": crops, "variance": np.ones_like(crops)})["table"].shape == (count, 4)


def test_a_run_knows_what_the_colours_are_called(model: Path) -> None:
    rig = Rig.model_validate({"camera": {"pixel_size_nm": 100}, "crops": {"model": str(model)}})
    colourless = zoo.shipped()["2d-fast"]
    assert channels_of(rig, colourless) == ("520 nm", "680 nm")
    assert channels_of(Rig.model_validate({"camera": {"pixel_size_nm": 100}}), colourless) == ()


def test_it_is_judged_beside_the_likeliest_fit(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert evaluate_in_terminal([str(model)], Effort(3, 40), tmp_path, False) == 0
    rows = json.loads((tmp_path / "evaluation.json").read_text())["10000 photons"]
    assert list(rows) == ["kim-fast", "maximum likelihood"]
    assert rows["maximum likelihood"]["accuracy"] > 0.9
    assert (tmp_path / "evaluation.png").stat().st_size > 10_000
    assert "680 nm: RMSE of z" in capsys.readouterr().out
    with pytest.raises(InputError, match="tells no colours"):
        evaluate_in_terminal([str(model), "2d-fast"], Effort(3, 10), None, True)


def test_it_is_not_trained_for_a_spot() -> None:
    with pytest.raises(InputError, match="kim is not trained for a spot"):
        recipe_of("kim", "astigmatic", "fast", 1, 2, "", "")
