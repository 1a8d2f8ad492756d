"""`livesmlm models`: everything that ships and everything that can be trained, readable and for programs."""

import json
import subprocess
import sys
from dataclasses import replace
from math import nan

import pytest
from typer.testing import CliRunner

from models.systems import SYSTEMS
from models.systems.about import ABOUT
from stream import zoo
from stream.cli import app
from stream.commands.models import headline, operations, rows


def test_every_system_says_what_it_is_for_and_who_published_it() -> None:
    assert ABOUT.keys() == SYSTEMS.keys()
    assert all(about.task and about.paper for about in ABOUT.values())


def test_all_that_ships_and_all_that_can_be_trained_is_there_once() -> None:
    found = rows()
    names = [row.name for row in found]
    assert len(set(names)) == len(names)
    assert zoo.shipped().keys() <= set(names)
    assert {row.system for row in found} == SYSTEMS.keys()
    for row in found:
        if row.name in zoo.shipped():
            assert row.megabytes > 0.1
            assert row.operations
            assert row.score
        else:
            assert row.trained.startswith(f"not trained: livesmlm train {row.name}")


def test_the_table_fits_a_terminal_of_100_columns() -> None:
    shown = CliRunner().invoke(app, ["models"], env={"COLUMNS": "100"}).output
    assert max(map(len, shown.splitlines())) <= 100
    for part in ("2d-fast ", "42 k/px", "5.89 M/crop", "14,000 steps, CPU", "J 0.909, xy 21.2 nm", "PNAS 117"):
        assert part in shown
    lines = [line for line in shown.splitlines() if line.strip().startswith("2d-fast ")]
    assert len(lines) == 1


def test_for_programs_it_is_json_with_cards() -> None:
    listed = json.loads(CliRunner().invoke(app, ["models", "--json"]).output, parse_constant=pytest.fail)
    cards = {row["name"]: row["card"] for row in listed}
    assert cards["2d-fast"]["sample_space"]["photons"][:2] == [100, 10_000]
    assert cards["decode"] is None
    assert {row["system"] for row in listed} == SYSTEMS.keys()


def test_one_model_shows_its_card() -> None:
    shown = CliRunner().invoke(app, ["models", "2d-bgnet"], env={"COLUMNS": "200"}).output
    assert "background_contrast" in shown
    assert "by_level_and_contrast" in shown
    assert "100, 0.2  rmse 13.16, constant_rmse 19.86, ratio 0.6628" in shown


@pytest.mark.parametrize(("name", "said"), [("nothing", "`livesmlm models` lists them"), ("decode", "train decode")])
def test_a_name_that_does_not_ship(name: str, said: str, livesmlm) -> None:
    ran = livesmlm("models", name)
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "2d-fast" in ran.stderr


def test_a_system_that_does_not_exist_is_answered_with_the_list(livesmlm, tmp_path) -> None:
    ran = livesmlm("train", "nothing", "--out", tmp_path / "run")
    assert ran.returncode == 2
    assert "`livesmlm models` says what each of them is for" in ran.stderr


def test_it_needs_no_torch() -> None:
    code = "import sys; from stream.commands.models import rows; rows(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({}, ""),
        ({"data": "simulated"}, ""),
        ({"by_density_per_um2": {"0.1": {"jaccard": 1}, "1.0": {"jaccard": 0.5, "rmse_axial_nm": nan}}}, "J 0.5"),
        ({"by_photons": {"1000 photons": {"x_px": {"over_bound": 1.234}}}}, "x 1.23 of the bound"),
        ({"error_waves_by_rms_waves": {"0.1": 0.034, "0.2": 0.08}}, "0.1 waves: 0.034 left"),
        ({"nothing_but_steps_and_noise": {"network": {"2": {"right": 0.45}}}}, "45% counted rightly"),
    ],
)  # fmt: skip
def test_one_score_of_any_card(scores: dict, said: str) -> None:
    assert headline(scores) == said


def test_operations_are_of_what_goes_in() -> None:
    cards = zoo.shipped()
    assert operations(cards["moeckl-phase-fast"]) == "55.6 M/bead"
    assert operations(replace(cards["2d-fast"], mac_per_pixel=950)) == "950 /px"
