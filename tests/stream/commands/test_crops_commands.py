"""A network for crops from training to a replayed stack: what each command writes, and what it refuses."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.evaluation.report import Effort
from models.localizations import READ
from stream.commands.evaluate_any import evaluate_in_terminal
from stream.commands.training import export_in_terminal, recipe_of, train_in_terminal
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.errors import InputError, LiveSMLMError
from stream.readers.tables import read_table

RIG = """
[camera]
pixel_size_nm = {pixel}
offset_adu = 100
gain_e_per_adu = 0.5
[source]
kind = "simulated"
width_px = 64
height_px = 64
density_per_um2 = 0.1
structure = "uniform"
depth_nm = 800
mask = "astigmatism"
[engine]
threads = 1
[model]
name = "astigmatic-fast"
[publish]
address = "tcp://127.0.0.1:*"
[crops]
model = "{model}"
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Networks that have hardly learned anything."""
    folder, found = tmp_path_factory.mktemp("crops"), {}
    for system in ("zelger", "smnet-z"):
        usual = recipe_of(system, "astigmatic", "fast", 1, 2, "", "")
        assert usual.patch_px == 20
        assert train_in_terminal(replace(usual, batch=4), folder / system, resume=False) == 0
        found[system] = folder / f"{system}.onnx"
        assert export_in_terminal(str(folder / system), found[system], "fp32", "onnx") == 0
    return found


def test_the_file_says_what_torch_says_for_any_number_of_crops(models: dict[str, Path]) -> None:
    card = OnnxRuntimeEngine(models["zelger"]).card
    assert card.name == "astigmatic-zelger-fast"
    assert card.sample_space.number("numerical_aperture") == 1.4
    apart = card.scores["beside_torch_float64"]
    assert apart["x_px"] < 1e-4
    assert apart["z_nm"] < 0.05
    assert apart["noll_6_waves"] < 1e-5
    assert set(card.scores["by_photons"]) == {
        f"{n} photons{kind}" for n in (1000, 4000) for kind in ("", ", aberrated")
    }
    assert set(card.scores["pupil_error_waves"]) == {"noll_5_waves", "noll_6_waves", "noll_11_waves"}
    engine = OnnxRuntimeEngine(models["smnet-z"])
    assert "pupil_error_waves" not in engine.card.scores
    for count in (1, 5):
        crops = np.random.default_rng(1).poisson(30, (count, 20, 20)).astype("f4")
        assert engine.run({"counts": crops, "variance": np.ones_like(crops)})["table"].shape == (count, 1)
    assert models["smnet-z"].with_suffix(".spot.npz").exists()


def test_both_are_judged_on_the_same_crops(
    models: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [str(models["zelger"]), str(models["smnet-z"])]
    assert evaluate_in_terminal(names, Effort(3, 50), tmp_path / "report", False) == 0
    report = json.loads((tmp_path / "report" / "evaluation.json").read_text())
    rows = report["4000 photons"]
    assert list(rows) == ["astigmatic-zelger-fast", "astigmatic-smnet-z-fast", "maximum likelihood"]
    assert rows["maximum likelihood"]["x_px"]["over_bound"] < 1.3
    assert all(row["per_second"] > 0 for row in rows.values())
    assert (tmp_path / "report" / "evaluation.png").stat().st_size > 10_000
    assert "crops per second" in capsys.readouterr().out
    with pytest.raises(LiveSMLMError, match="does not localize in crops"):
        evaluate_in_terminal([names[0], "2d-fast"], Effort(3, 50), None, True)


@pytest.mark.parametrize("system", ["zelger", "smnet-z"])
def test_a_replayed_stack_is_read_in_crops(
    system: str, models: dict[str, Path], tmp_path: Path, livesmlm: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    rig, stack = tmp_path / "rig.toml", tmp_path / "stack.tif"
    rig.write_text(RIG.format(pixel=100, model=models[system]))
    made = livesmlm("simulate", "--rig", rig, "--out", stack, "--truth", tmp_path / "t.csv", "--frames", 40)
    assert made.returncode == 0, made.stderr
    ran = livesmlm("replay", stack, "--rig", rig, "--out", tmp_path / "out", "--no-page")
    assert ran.returncode == 0, ran.stderr
    table = read_table(tmp_path / "out" / "table.parquet")
    read = (np.asarray(table["flags"]) & READ) > 0
    assert read.mean() > 0.3
    assert np.isfinite(np.asarray(table["sigma_z_nm"])).all()
    assert json.loads((tmp_path / "out" / "run.json").read_text())["rig"]["crops"]["model"] == str(models[system])


@pytest.mark.parametrize(
    ("model", "pixel", "more", "says"),
    [
        ("2d-fast", 100, "", "does not localize in crops"),
        ("nothing", 100, "", r"\[crops\] model = 'nothing'"),
        ("zelger", 100, '[refine]\nmode = "all"', "would be replaced by fits"),
        ("zelger", 100, '[phase]\nmode = "molecules"\nmask = "astigmatism"', "finds aberrations, and so does"),
    ],
)
def test_what_does_not_fit_is_refused(
    model: str, pixel: float, more: str, says: str, models: dict[str, Path], tmp_path: Path,
    livesmlm: Callable[..., subprocess.CompletedProcess[str]],
) -> None:  # fmt: skip
    rig = tmp_path / "rig.toml"
    rig.write_text(RIG.format(pixel=pixel, model=models.get(model, model)) + more)
    ran = livesmlm("run", rig, "--out", tmp_path / "out", "--frames", 5, "--no-page")
    assert ran.returncode == 2, ran.stderr
    assert re.search(says, ran.stderr), ran.stderr
    assert "remedy" in ran.stderr


def test_no_crops_in_focus() -> None:
    with pytest.raises(InputError, match="smnet-z finds z"):
        train_in_terminal(recipe_of("smnet-z", "2d", "fast", 1, 2, "", ""), Path("nowhere"), resume=False)
