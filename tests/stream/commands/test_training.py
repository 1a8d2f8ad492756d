"""`livesmlm train` and `export` as a user meets them: what they write, and what they say of wrong input."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.evaluation.report import Effort
from models.optics.gaussian import GaussianSpot, astigmatic
from models.optics.low_rank_build import low_rank
from models.recipe import Recipe
from stream.commands.evaluate_any import evaluate_in_terminal
from stream.commands.training import export_in_terminal, recipe_of, train_in_terminal
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.errors import InputError, LiveSMLMError, OutputError
from stream.zoo import find

TINY = Recipe(psf="2d", steps=3, batch=2, patch_px=16)


@pytest.fixture(scope="module")
def spots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spots") / "mine.npz"
    low_rank(GaussianSpot(astigmatic(120, -250, 250, 350), 105, 21), (-500, 500), 20, 9, reach_px=0).save(path)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, spots: Path) -> Path:
    """A training of three steps for a spot from a file."""
    folder, space = tmp_path_factory.mktemp("training") / "mine", spots.with_name("space.toml")
    space.write_text("[space]\nphotons = [500, 5000, 'log-uniform']\nem_share = 0\n")
    recipe = Recipe(psf=str(spots), steps=3, batch=2, patch_px=16, sample_space=str(space))
    assert train_in_terminal(recipe, folder, resume=False) == 0
    return folder


def test_a_training_leaves_checkpoint_spot_log_validation_and_curves(trained: Path) -> None:
    names = {path.name for path in trained.iterdir()}
    assert {"checkpoint.pt", "spot.npz", "training.jsonl", "validation.jsonl", "curves.png"} <= names
    assert any(name.startswith("events.out") for name in names)  # TensorBoard's
    assert (trained / "checkpoint.pt").stat().st_size < 12e6
    assert json.loads((trained / "training.jsonl").read_text())["step"] == 3


def test_it_goes_on_where_it_stopped_and_another_starts_from_it(trained: Path, spots: Path, tmp_path: Path) -> None:
    longer = Recipe(psf=str(spots), steps=5)
    assert train_in_terminal(longer, trained, resume=True) == 0
    assert json.loads((trained / "training.jsonl").read_text().splitlines()[-1])["step"] == 5
    other = Recipe(psf=str(spots), steps=1, batch=2, patch_px=16, start=str(trained))
    assert train_in_terminal(other, tmp_path / "other", resume=False) == 0
    model = tmp_path / "other.onnx"
    assert export_in_terminal(str(tmp_path / "other"), model, "fp32", "onnx") == 0
    said = OnnxRuntimeEngine(model).card.provenance
    assert str(trained) in said["command"]
    assert ["--steps 5" in line for line in said["before"]] == [True]


def test_an_export_has_card_and_spots_and_can_be_evaluated(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "models" / "mine.onnx"
    assert export_in_terminal(str(trained), model, "fp32", "onnx") == 0
    card = OnnxRuntimeEngine(model).card
    assert card.name == "mine-fast"
    assert card.sample_space["photons"].low == 500
    assert card.sample_space["pixel_size_nm"].middle == 105
    assert "z_nm" in card.columns
    assert "--psf" in card.provenance["command"]
    assert evaluate_in_terminal([str(model)], Effort(frames=3, emitters=50), tmp_path / "report", False) == 0
    report = json.loads((tmp_path / "report" / "evaluation.json").read_text())
    assert list(report) == ["mine-fast", "mine-fast, refined", "maximum likelihood"]
    assert (tmp_path / "report" / "evaluation.png").stat().st_size > 10_000
    assert "by emitters per µm²" in capsys.readouterr().out
    model.with_suffix(".spot.npz").unlink()
    with pytest.raises(LiveSMLMError, match=r"spot\.npz"):
        evaluate_in_terminal([str(model)], Effort(3, 50), None, True)


@pytest.mark.parametrize(
    ("recipe", "space", "says"),
    [
        (Recipe(psf="nope"), "", "neither a file nor one of 2d, astigmatic"),
        (Recipe(system="decode", psf="2d"), "", "decode finds z too"),
        (TINY, "[space]\nnope = 3", "nope is not known"),
        (TINY, "[space]\nphotons = [5, 1]", "the low end comes first"),
        (TINY, "[optics]\nnumerical_aperture = 3", "below 1.518"),
        (TINY, "[space", "sample space"),
        (Recipe(psf="2d", start="nowhere"), "", "--from = 'nowhere': no such model"),
    ],
)
def test_wrong_input_is_named(recipe: Recipe, space: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(space)
    with pytest.raises(InputError, match=says):
        train_in_terminal(replace(recipe, sample_space=str(path)), tmp_path / "out", resume=False)


def test_spots_that_do_not_reach_as_deep_are_refused(spots: Path, tmp_path: Path) -> None:
    space = tmp_path / "space.toml"
    space.write_text("[space]\nz_nm = [-600, 600]")
    with pytest.raises(InputError, match="known from -500 to 500 nm"):
        train_in_terminal(Recipe(psf=str(spots), sample_space=str(space)), tmp_path / "out", resume=False)


def test_a_training_is_not_overwritten_and_nothing_is_resumed_from_nowhere(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists"):
        train_in_terminal(TINY, trained, resume=False)
    with pytest.raises(OutputError, match="does not exist"):
        train_in_terminal(TINY, tmp_path, resume=True)


@pytest.mark.parametrize(
    ("source", "out", "says"),
    [
        ("nowhere", "x.onnx", "MODEL = 'nowhere': no such model"),
        ("2d-fast", "x.pt", "a file that ends in .onnx"),
        ("2d-bgnet", "x.onnx", "only localizers in fp32 or fp16"),
        ("localizer-2d", "x.onnx", "its network is of another version"),
    ],
)
def test_what_cannot_be_exported_is_named(source: str, out: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(LiveSMLMError, match=says):
        export_in_terminal(source, tmp_path / out, "fp32", "onnx")


def test_a_model_is_not_written_over_itself(tmp_path: Path) -> None:
    copy = tmp_path / "mine.onnx"
    copy.write_bytes(find("2d-fast").read_bytes())
    with pytest.raises(InputError, match="is what is read"):
        export_in_terminal(str(copy), copy, "fp32", "onnx")


@pytest.mark.parametrize(
    ("system", "psf", "says"),
    [("nope", "", "no system is called 'nope'"), ("moeckl-phase", "2d", "moeckl-phase is not trained for a spot")],
)
def test_what_a_system_cannot_be_trained_for_is_named(system: str, psf: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        recipe_of(system, psf, "fast", 1, None, "", "")


def test_a_phase_network_is_trained_and_exported_like_any_other(tmp_path: Path) -> None:
    usual = recipe_of("moeckl-phase", "", "fast", 1, 2, "", "")
    assert train_in_terminal(replace(usual, batch=2, patch_px=21), tmp_path / "run", resume=False) == 0
    assert export_in_terminal(str(tmp_path / "run"), tmp_path / "phase.onnx", "fp32", "onnx") == 0
    engine = OnnxRuntimeEngine(tmp_path / "phase.onnx")
    waves = engine.run({"stack": np.ones((3, 5, 21, 21), np.float32)})["waves"]
    assert waves.shape == (3, 27)
    assert engine.card.columns[0] == "noll_2_waves"
    assert engine.card.sample_space.number("numerical_aperture") == 1.4
    engine.close()


def test_a_background_network_is_trained_and_exported_like_any_other(tmp_path: Path, spots: Path) -> None:
    usual = recipe_of("bgnet", str(spots), "fast", 1, 2, "", "")
    assert usual.patch_px == 20
    assert train_in_terminal(replace(usual, batch=2), tmp_path / "run", resume=False) == 0
    assert export_in_terminal(str(tmp_path / "run"), tmp_path / "bg.onnx", "fp32", "onnx") == 0
    assert (tmp_path / "bg.spot.npz").exists()
    engine = OnnxRuntimeEngine(tmp_path / "bg.onnx")
    crops = np.random.default_rng(1).poisson(30, (3, 20, 20)).astype("f4")
    said = engine.run({"counts": crops, "variance": np.ones_like(crops)})["background"]
    assert said.shape == crops.shape
    assert "--psf" in engine.card.provenance["command"]
    assert set(engine.card.scores["by_level_and_contrast"]["10, 0.5"]) == {"rmse", "constant_rmse", "ratio"}
    engine.close()


@pytest.mark.parametrize(("psf", "side"), [("2d", 12), ("double-helix", 20), ("tetrapod", 40), ("", 12)])
def test_crops_are_as_large_as_the_spot_needs(psf: str, side: int) -> None:
    assert recipe_of("bgnet", psf, "fast", 1, None, "", "").patch_px == side


def test_a_background_network_for_no_spot_is_refused() -> None:
    with pytest.raises(InputError, match="neither a file nor one of"):
        recipe_of("bgnet", "nope", "fast", 1, None, "", "")
