"""DeepLoco from training to table, as a user meets it: one localizer among others."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from export.trained import from_model
from models.evaluation.report import Effort
from models.recipe import Recipe
from stream.commands.evaluate_any import evaluate_in_terminal
from stream.commands.training import export_in_terminal, train_in_terminal
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.errors import InputError
from stream.readers.tables import read_table

FRAMES, HEIGHT, WIDTH = 9, 70, 110


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of three steps."""
    folder = tmp_path_factory.mktemp("training") / "points"
    assert train_in_terminal(Recipe(system="deeploco", steps=3, batch=2, patch_px=64), folder, resume=False) == 0
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Path:
    path = folder.with_name("points.onnx")
    assert export_in_terminal(str(folder), path, "fp32", "onnx") == 0
    return path


def test_its_card_has_scores_and_how_far_it_is_from_torch(model: Path) -> None:
    card = OnnxRuntimeEngine(model).card
    assert card.name == "2d-deeploco-fast"
    assert card.provenance["steps"] == 3
    assert card.scores["by_density_per_um2"].keys() == {"0.1", "0.25", "0.5", "1.0", "2.0"}
    assert card.scores["beside_torch_float64"]["only_one_has"] == 0
    assert model.stat().st_size < 12e6


def test_it_runs_in_the_stream_from_a_replayed_stack(model: Path, rig, livesmlm, tmp_path: Path) -> None:
    """So little trained its points weigh a tenth, so that with a low threshold there is one in each cell."""
    pixels = np.random.default_rng(1).poisson(120, (FRAMES, HEIGHT, WIDTH)).astype("u2")
    tifffile.imwrite(tmp_path / "stack.tif", pixels, photometric="minisblack")
    settings = rig(f'[model]\nname = "{model}"\nthreshold = 0.02\n')
    ran = livesmlm("replay", tmp_path / "stack.tif", "--rig", settings, "--out", tmp_path / "out", "--no-page")
    assert ran.returncode == 0, ran.stderr
    ledger = json.loads((tmp_path / "out" / "ledger.json").read_text())
    table = read_table(tmp_path / "out" / "locs.hdf5")
    assert ledger["totals"]["analysed"] == FRAMES
    assert np.unique(table["frame"]).tolist() == list(range(FRAMES))
    assert len(table) > 100 * FRAMES
    assert table["x_nm"].max() > 100 * (WIDTH - 8)
    assert table["y_nm"].max() > 100 * (HEIGHT - 8)


def test_it_is_judged_beside_others(model: Path, tmp_path: Path) -> None:
    assert evaluate_in_terminal([str(model), "2d-fast"], Effort(frames=3, emitters=50), tmp_path, True) == 0
    report = json.loads((tmp_path / "evaluation.json").read_text())
    assert {"2d-deeploco-fast", "2d-fast", "maximum likelihood"} <= report.keys()


@pytest.mark.parametrize(("precision", "to"), [("fp16", "onnx"), ("fp32", "tensorrt")])
def test_other_forms_are_refused(folder: Path, precision: str, to: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="deeploco is exported in fp32 and as onnx only"):
        export_in_terminal(str(folder), tmp_path / "x.onnx", precision, to)


def test_a_training_begins_with_its_file_and_no_other_systems(model: Path, tmp_path: Path) -> None:
    recipe = Recipe(system="deeploco", steps=1, batch=2, patch_px=64, start=str(model))
    assert train_in_terminal(recipe, tmp_path / "on", resume=False) == 0
    with pytest.raises(InputError, match=r"not have the same layers$"):
        train_in_terminal(replace(recipe, start="2d-fast"), tmp_path / "not", resume=False)


def test_its_file_gives_no_network(model: Path) -> None:
    with pytest.raises(ValueError, match="from the folder of its training only"):
        from_model(model)
