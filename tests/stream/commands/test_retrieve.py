"""`livesmlm retrieve` as a user meets it: aberrations come back, spots can be read, what is missing is asked for."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tifffile
from threadpoolctl import threadpool_info, threadpool_limits

from models.npz import read_npz
from models.optics.low_rank import LowRankSpot
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot
from stream import config
from stream.bead_stacks import read_beads
from stream.commands import retrieve
from stream.commands.retrieve import in_terminal
from stream.errors import InputError, OutputError, RigError

WAVES = {6: 0.12, 7: -0.04, 11: 0.05}
FOCUS = np.linspace(-600, 600, 7)
RIG = """
[camera]
pixel_size_nm = 100
offset_adu = 100
gain_e_per_adu = 0.5
read_noise_e = 1.5
[optics]
sample_index = 1.518
[beads]
step_nm = 200
focal_plane = "{way}"
window_um = 2.1
highest_noll = 11
astigmatism_waves = 0.1
"""


def rig(tmp_path: Path, way: str = "towards-objective", text: str = RIG) -> config.Rig:
    path = tmp_path / "rig.toml"
    path.write_text(text.format(way=way))
    return config.read(path)


@pytest.fixture(scope="module")
def beads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two beads of 80 x 60 pixels behind one pupil."""
    spot = VectorialSpot(Setup(Objective(sample_index=1.518), zernike_waves=WAVES), 100.0, 31)
    light, rng = np.full((len(FOCUS), 60, 80), 20.0), np.random.default_rng(5)
    for row, column, x, focus in ((30, 20, 25.0, 30.0), (28, 58, -30.0, -20.0)):
        image = 2e4 * spot(np.repeat([[x, 0, 0]], len(FOCUS), 0), Aberration(FOCUS + focus))
        light[:, row - 15 : row + 16, column - 15 : column + 16] += image
    path = tmp_path_factory.mktemp("beads") / "beads.tif"
    electrons = rng.poisson(light) + rng.normal(0, 1.5, light.shape)
    tifffile.imwrite(path, np.clip(100 + electrons / 0.5, 0, 65535).astype(np.uint16), photometric="minisblack")
    return path


def test_the_aberrations_come_back(beads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "psf"
    assert in_terminal([beads], rig(tmp_path), out, None, as_json=False, check=True) == 0
    facts = json.loads((out / "pupil.json").read_text())
    found = {int(j): value for j, value in facts["zernike_waves"].items()}
    assert all(found[j] == pytest.approx(WAVES.get(j, 0), abs=0.012) for j in found)
    assert facts["explained"]
    assert len(facts["beads"]) == 2
    assert facts["field"] is None
    assert facts["blur_nm"] < 40
    assert facts["held_out"]["chi2"] == pytest.approx(1, abs=0.15)
    spots = LowRankSpot.load(out / "psf.npz")
    assert (spots.pixel_size_nm, spots.size_px, spots.z_range_nm) == (100, 21, (-600, 600))
    assert (out / "beads.png").stat().st_size > 20_000
    said = capsys.readouterr().out
    assert "2 beads, 2 used" in said
    assert "within the noise" in said
    assert "5 slices left out in turn are foretold" in said


def test_cells_that_foretell_better_are_written(tmp_path: Path) -> None:
    """Ripples in the pupil: they are in the spots, and beside them."""
    ripples = partial(replace, Setup(Objective(sample_index=1.518)), mask=lambda x, y: np.exp(0.6j * np.cos(7 * x)))
    spot, focus = VectorialSpot(ripples(zernike_waves={6: 0.1}), 100.0, 21), np.linspace(-400, 400, 5)
    light = np.full((5, 31, 31), 10.0)
    light[:, 5:26, 5:26] += 5e4 * spot(np.zeros((5, 3)), Aberration(focus))
    adu = np.random.default_rng(6).poisson(light) * 2.0 + 100
    tifffile.imwrite(tmp_path / "one.tif", adu.astype(np.uint16), photometric="minisblack")
    out, text = tmp_path / "psf", RIG.replace("window_um = 2.1", "window_um = 1.7").replace("noll = 11", "noll = 8")
    in_terminal([tmp_path / "one.tif"], rig(tmp_path, text=text + "pixelwise = true\n"), out, None, True, check=True)
    facts = json.loads((out / "pupil.json").read_text())
    cells = facts["pixelwise"]
    assert cells["used"]
    assert cells["held_out"]["chi2"] < cells["held_out_before"]["chi2"] == facts["held_out"]["chi2"]
    assert cells["residual_share"] < cells["residual_share_before"]
    written = read_npz(out / "pupil.npz")
    assert written["phase_rad"].shape == written["amplitude"].shape == (64, 64)
    drawn = LowRankSpot.load(out / "psf.npz").sub_pixel(np.column_stack((np.zeros((5, 2)), focus)))
    truth = spot(np.zeros((5, 3)), Aberration(focus))[:, 1:-1, 1:-1]
    assert np.linalg.norm(drawn - truth) < 0.15 * np.linalg.norm(truth)


def test_a_stage_that_moves_the_other_way_is_noticed_by_the_sign(beads: Path, tmp_path: Path) -> None:
    out = tmp_path / "psf"
    in_terminal([beads], rig(tmp_path, "into-sample"), out, None, as_json=True)
    facts = json.loads((out / "pupil.json").read_text())
    assert "held_out" not in facts
    assert facts["zernike_waves"]["6"] < -0.1
    assert any("the rig says that it is positive" in line for line in facts["verdict"])


def test_what_no_image_tells_is_asked_for(beads: Path, tmp_path: Path) -> None:
    silent = rig(tmp_path, text="[camera]\npixel_size_nm = 100\n[beads]\nstep_nm = 200\n")
    with pytest.raises(RigError, match="focal_plane is not given") as error:
        in_terminal([beads], silent, tmp_path / "psf", None, as_json=True)
    assert "into-sample" in error.value.remedy


def test_without_a_bead(tmp_path: Path) -> None:
    dark = tmp_path / "dark.tif"
    frames = np.random.default_rng(0).poisson(120, (7, 60, 60)).astype(np.uint16)
    tifffile.imwrite(dark, frames, photometric="minisblack")
    with pytest.raises(InputError, match="no bead can be used: nothing stands out"):
        in_terminal([dark], rig(tmp_path), tmp_path / "psf", None, as_json=True)
    assert not (tmp_path / "psf").exists()


def test_results_are_not_written_over(beads: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists"):
        in_terminal([beads], rig(tmp_path), tmp_path, None, as_json=True)


def test_many_slices_are_added_up_and_no_light_is_lost(beads: Path, tmp_path: Path) -> None:
    few = tifffile.imread(beads)
    long, out = tmp_path / "long.tif", tmp_path / "psf"
    tifffile.imwrite(long, np.repeat(few, 10, axis=0), photometric="minisblack")
    settings = rig(tmp_path, text=RIG.replace("step_nm = 200", "step_nm = 20"))
    assert in_terminal([long], settings, out, None, as_json=True) == 0
    facts = json.loads((out / "pupil.json").read_text())
    assert facts["beads"][0]["photo_electrons_over_excess"] == pytest.approx(10 * 2e4 * 7 / 24, rel=0.15)
    assert facts["zernike_waves"]["6"] == pytest.approx(WAVES[6], abs=0.02)


def test_too_few_slices_to_leave_one_out(beads: Path, tmp_path: Path) -> None:
    short, out = tmp_path / "short.tif", tmp_path / "psf"
    tifffile.imwrite(short, tifffile.imread(beads)[2:4], photometric="minisblack")
    with pytest.raises(InputError, match="a stack of 2 slices"):
        in_terminal([short], rig(tmp_path), out, None, as_json=True, check=True)
    assert not out.exists()


def test_beads_know_their_place_in_the_image(beads: Path, tmp_path: Path) -> None:
    task, _ = read_beads([beads], rig(tmp_path))
    assert np.array(sorted(task.places_um)) == pytest.approx(np.array([(2.05, 3.05), (5.85, 2.85)]), abs=0.15)


def test_the_fit_uses_one_thread_whatever_the_machine_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked(Exception):
        pass

    def threads(_task: object) -> None:
        raise Asked({found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"})

    monkeypatch.setattr(retrieve, "solve", threads)
    with threadpool_limits(2), pytest.raises(Asked) as asked:
        retrieve.retrieve_into(tmp_path, None, [], config.BeadsSettings())
    assert asked.value.args == ({1},)
