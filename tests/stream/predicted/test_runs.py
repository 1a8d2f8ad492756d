"""Whole runs with a prediction: two pictures that say what they are, a table that knows nothing of them."""

from __future__ import annotations

import json
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest
import tifffile

from stream.config import Rig, validate
from stream.engines import open_engine
from stream.errors import ModelError, RigError
from stream.outcome import Outcome
from stream.pipeline import Pipeline
from stream.readers.tables import read_table
from stream.zoo import find
from tests.stream.view import View


def rig_of(prediction: dict, frames: int = 60) -> Rig:
    return validate(
        {
            "camera": {"pixel_size_nm": 100, "read_noise_e": 1.5},
            "source": {
                "kind": "simulated", "width_px": 64, "height_px": 48, "frames": frames, "frames_per_s": "max",
                "structure": "filaments", "density_per_um2": 0.5,
            },
            "model": {"name": "localizer-2d"}, "engine": {"threads": 1}, "prediction": prediction,
            "publish": {"address": "tcp://127.0.0.1:*", "snapshot_address": "tcp://127.0.0.1:*"},
            "policy": {"batch_frames": 8}, "guard": {"mode": "off"},
        },
        "test",
    )  # fmt: skip


def run(rig: Rig, folder: Path, view: View | None = None) -> Outcome:
    return Pipeline(rig, folder, view or View()).run(open_engine(find(rig.model.name), rig.engine))


def test_a_run_keeps_both_pictures_and_its_table_does_not_know_of_them(model: Path, tmp_path: Path) -> None:
    predicted = {"model": str(model), "structure": "filaments", "every_s": 0.5}
    outcome, plain = run(rig_of(predicted), tmp_path / "with"), run(rig_of({}), tmp_path / "without")
    assert (outcome.state, plain.health["prediction"]) == ("finished", None)
    said = outcome.health["prediction"]
    assert (said["structure"], said["missed"], said["usual_error"]) == ("filaments", 0, None)
    tables = [read_table(tmp_path / name / "table.parquet") for name in ("with", "without")]
    assert said["localizations"] == len(tables[0]) > 50
    assert list(tables[0]) == list(tables[1])
    np.testing.assert_array_equal(tables[0]["x_nm"], tables[1]["x_nm"])
    with tifffile.TiffFile(tmp_path / "with" / "prediction.ome.tif") as tiff:
        assert tiff.series[0].shape == (240, 320)
        assert 0 < tiff.series[0].asarray().sum() <= 1.001 * len(tables[0])
        image = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]
    assert image["Pixels"]["PhysicalSizeX"] == pytest.approx(0.02)
    assert "NOT MEASURED" in image["Name"]
    assert "PREDICTION, NOT MEASURED: anna-palm-fast, told that the sample is filaments" in image["Description"]
    assert tifffile.imread(tmp_path / "with" / "error-of-prediction.ome.tif").shape == (60, 80)
    assert json.loads((tmp_path / "with" / "run.json").read_text())["result"]["prediction"] == said
    assert not list((tmp_path / "without").glob("*prediction*"))


def test_when_its_process_dies_the_run_goes_on(model: Path, tmp_path: Path) -> None:
    def kill(health: dict) -> None:
        for child in active_children():
            if child.name == "livesmlm-prediction":
                child.kill()

    outcome = run(rig_of({"model": str(model), "structure": "rings"}, 400), tmp_path / "out", view := View(kill))
    assert outcome.state == "finished"
    assert any("predicts the dense image died" in warning for warning in view.warnings)
    assert not (tmp_path / "out" / "prediction.ome.tif").exists()


def test_what_cannot_be_is_refused_before_the_run(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="predicts no dense images"):
        run(rig_of({"model": "2d-fast", "structure": "rings"}), tmp_path / "a")
    with pytest.raises(RigError, match="must be told what the sample is"):
        rig_of({"model": str(model)})
    with pytest.raises(ModelError, match=r"livesmlm train anna-palm"):
        run(rig_of({"model": "anna-palm", "structure": "rings"}), tmp_path / "b")
    assert not (tmp_path / "a").exists()
