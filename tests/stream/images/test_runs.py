"""Whole runs with an image layer: every frame is in it or counted as left out, and localizations do not know of it."""

from __future__ import annotations

import json
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest
import tifffile

from models.camera import Camera
from stream.config import EngineSettings, Rig, validate
from stream.engines import open_engine
from stream.errors import ModelError, RigError, SampleSpaceError
from stream.images.blocks import Blocks
from stream.images.kept import kept_pictures
from stream.outcome import Outcome
from stream.pipeline import Pipeline
from stream.readers.tables import read_table
from stream.stages.localize import maps_of
from stream.zoo import find
from tests.stream.view import View

FRAMES = 24


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    """A recorded stack, 40 x 72."""
    frames = np.random.default_rng(0).poisson(30, (FRAMES, 40, 72)).astype("u2") + 100
    tifffile.imwrite(tmp_path / "stack.tif", frames, photometric="minisblack")
    return tmp_path / "stack.tif"


def rig_of(stack: Path, image: dict, **sections: dict) -> Rig:
    return validate(
        {
            "camera": {"pixel_size_nm": 100, "read_noise_e": 1.5},
            "source": {"kind": "replay", "path": str(stack), "rate": "max"},
            "model": {"name": "localizer-2d"}, "engine": {"threads": 1}, "image": image,
            "publish": {"address": "tcp://127.0.0.1:*", "snapshot_address": "tcp://127.0.0.1:*"},
            "policy": {"batch_frames": 8}, **sections,
        },
        "test",
    )  # fmt: skip


def run(rig: Rig, folder: Path, view: View | None = None) -> tuple[Outcome, dict]:
    outcome = Pipeline(rig, folder, view or View()).run(open_engine(find(rig.model.name), rig.engine))
    return outcome, json.loads((folder / "ledger.json").read_text())


def test_a_layer_that_takes_all_frames_is_the_sum_of_their_images(model: Path, stack: Path, tmp_path: Path) -> None:
    outcome, ledger = run(rig_of(stack, {"model": str(model), "frames": "all"}), tmp_path / "out", view := View())
    assert (outcome.state, outcome.exit_code) == ("finished", 0)
    assert ledger["imaged"] == ledger["analysed"] == [[0, FRAMES - 1]]
    said = outcome.health["image"]
    assert (said["seen"], said["left_out"], said["waits"]) == (FRAMES, 0, True)
    assert any("wait for the image layer" in warning for warning in view.warnings)
    frames = tifffile.imread(stack)
    engine = open_engine(model, EngineSettings(threads=1))
    expected = Blocks(engine.run, engine.card, maps_of(Camera(read_noise_e=1.5), (40, 72))).whole(frames)
    engine.close()
    with tifffile.TiffFile(tmp_path / "out" / "image.ome.tif") as tiff:
        np.testing.assert_allclose(tiff.series[0].asarray(), expected, rtol=1e-4, atol=1e-6)
        image = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]
        assert image["Pixels"]["PhysicalSizeX"] == 0.0125
        assert f"sum over {FRAMES} frames, molecules in each pixel" in image["Description"]
    kept = kept_pictures(tmp_path / "out")["image"]
    np.testing.assert_allclose(kept.levels[0].image(), expected, rtol=1e-4, atol=1e-6)
    assert kept.levels[0].pixel_nm == pytest.approx(12.5)
    assert said["molecules"] == pytest.approx(expected.sum(), rel=1e-3)
    assert (tmp_path / "out" / "image.png").stat().st_size


def test_localizations_do_not_know_of_the_layer(model: Path, stack: Path, tmp_path: Path) -> None:
    with_it, ledger = run(rig_of(stack, {"model": str(model)}), tmp_path / "with")
    without, plain = run(rig_of(stack, {}), tmp_path / "without")
    tables = [read_table(tmp_path / name / "table.parquet") for name in ("with", "without")]
    for name in tables[1]:
        np.testing.assert_array_equal(tables[0][name], tables[1][name])
    said = with_it.health["image"]
    assert said["seen"] + said["left_out"] == FRAMES
    assert said["seen"] == sum(last - first + 1 for first, last in ledger["imaged"])
    assert without.health["image"] is None
    assert plain["imaged"] == []
    assert not (tmp_path / "without" / "image.ome.tif").exists()


def test_when_its_process_dies_the_run_goes_on(model: Path, tmp_path: Path) -> None:
    frames = np.random.default_rng(0).poisson(30, (400, 40, 40)).astype("u2") + 100
    tifffile.imwrite(tmp_path / "long.tif", frames, photometric="minisblack")

    def kill(health: dict) -> None:
        for child in active_children():
            if child.name == "livesmlm-image" and health["ledger"]["analysed"]:
                child.kill()

    rig = rig_of(tmp_path / "long.tif", {"model": str(model), "frames": "all"}, policy={"ring_mb": 0.1})
    outcome, ledger = run(rig, tmp_path / "out", view := View(kill))
    assert outcome.state == "finished"
    assert ledger["analysed"] == [[0, 399]]
    assert any("the image layer ended" in warning for warning in view.warnings)
    said = outcome.health["image"]
    assert said["seen"] + said["left_out"] == 400


def test_what_cannot_be_is_refused_before_the_run(model: Path, stack: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="draws no images"):
        run(rig_of(stack, {"model": "2d-fast"}), tmp_path / "a")
    with pytest.raises(ModelError, match=r"\[image\] model"):
        run(rig_of(stack, {"model": "nowhere"}), tmp_path / "b")
    with pytest.raises(SampleSpaceError):
        run(rig_of(stack, {"model": str(model)}, optics={"psf_sigma_nm": 210.0}), tmp_path / "c")
    with pytest.raises(RigError, match='frames = "all"'):
        rig_of(stack, {"model": str(model), "frames": "all"}, policy={"overload": "live"})
    assert not (tmp_path / "a").exists()
