"""`livesmlm train --from-beads`: a network from beads, stopped and resumed; what is missing or wrong is named."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import tifffile

import export.evaluate as scoring
from models.evaluation.report import Effort
from models.guard.molecules.guard_file import Guard
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot
from stream import config
from stream.commands import own_microscope, parity
from stream.commands.own_microscope import in_terminal
from stream.engines import ENGINES
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.errors import InputError, OutputError, RigError
from stream.own import training
from stream.own.plan import Plan
from stream.own.progress import Display

FOCUS = np.linspace(-400, 400, 5)
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
focal_plane = "towards-objective"
window_um = 1.7
highest_noll = 8
astigmatism_waves = -0.1
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One bead behind astigmatism of the other sign than that of the models that ship."""
    spot = VectorialSpot(Setup(Objective(sample_index=1.518), zernike_waves={6: -0.1}), 100.0, 21)
    light, rng = np.full((len(FOCUS), 31, 31), 10.0), np.random.default_rng(6)
    light[:, 5:26, 5:26] += 2e4 * spot(np.zeros((len(FOCUS), 3)), Aberration(FOCUS))
    electrons = rng.poisson(light) + rng.normal(0, 1.5, light.shape)
    path = tmp_path_factory.mktemp("beads") / "beads.tif"
    tifffile.imwrite(path, np.clip(100 + electrons / 0.5, 0, 65535).astype(np.uint16), photometric="minisblack")
    return path


@pytest.fixture
def plan(stack: Path, tmp_path: Path) -> Callable[..., Plan]:
    """Return a plan of some seconds; its rig may be another."""

    def of(text: str = RIG, **changes: object) -> Plan:
        path = tmp_path / "rig.toml"
        path.write_text(text)
        return replace(Plan((stack,), config.read(path), tmp_path / "mine", 0.1), **changes)  # type: ignore[arg-type]

    return of


def interrupt_at_the_first_line(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Display.__call__

    def show(self: Display, trainer: object, line: dict[str, float]) -> None:
        shown(self, trainer, line)
        if line:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Display, "__call__", show)


def test_it_is_stopped_resumed_and_ends_with_a_model_that_runs(
    plan: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = plan(minutes=5.0)
    monkeypatch.setattr(training, "LINE_STEPS", 2)
    monkeypatch.setattr(parity, "ENGINES", {"onnx-runtime": ENGINES["onnx-runtime"]})
    monkeypatch.setattr(scoring, "FRAMES", 3)
    monkeypatch.setattr(scoring, "EMITTERS", 50)
    monkeypatch.setattr(own_microscope, "GUARD_MOLECULES", 100)
    monkeypatch.setattr(own_microscope, "EFFORT", Effort(frames=3, emitters=50))
    with monkeypatch.context() as patch:
        interrupt_at_the_first_line(patch)
        assert in_terminal(mine, resume=False) == 0
    assert "The same command with --resume goes on" in capsys.readouterr().out
    record = json.loads((mine.out / "own.json").read_text())
    assert record["done"] == ["beads", "pupil"]
    assert 0 < record["spent_s"] < 60 * record["minutes"]
    with pytest.raises(OutputError, match="exists"):
        in_terminal(mine, resume=False)
    with pytest.raises(InputError, match=r"rig: not what .* was begun with"):
        in_terminal(plan(RIG.replace("0.5", "0.6")), resume=True)

    assert in_terminal(replace(mine, minutes=record["spent_s"] / 60 + 0.15), resume=True) == 0
    said = capsys.readouterr().out
    assert "1/6 beads done before" in said
    assert 'name = "' + str(mine.model) in said.replace("\n", "")
    assert "Cramér-Rao bound" in said
    engine = OnnxRuntimeEngine(mine.model)
    card = engine.card
    engine.close()
    assert (card.name, card.sample_space["pixel_size_nm"].middle) == ("mine", 100)
    assert (card.sample_space["z_nm"].low, card.sample_space.number("em_share")) == (-399, 0)
    made = card.provenance
    assert made["steps"] == made["recipe"]["steps"] > 2
    assert made["recipe"]["start"] == "astigmatic-fast"
    assert "--from-beads beads.tif" in made["command"]
    assert made["pupil"]["zernike_waves"]["6"] == pytest.approx(-0.1, abs=0.01)
    assert mine.model.with_suffix(".spot.npz").exists()
    assert Guard.load(mine.model.with_suffix(".guard.npz")).made["molecules"] >= 100
    assert list(json.loads((mine.out / "evaluation.json").read_text()))[-1] == "maximum likelihood"

    in_terminal(replace(mine, minutes=None), resume=True)  # nothing is left to do
    assert "6/6 evaluation done before" in capsys.readouterr().out


def test_a_wrong_pixel_size_shows_in_the_beads(plan: Callable[..., Plan], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the pupil does not explain the beads") as error:
        in_terminal(plan(RIG.replace("= 100\noffset", "= 160\noffset").replace("1.7", "2.7")), resume=False)
    assert "pixel_size_nm" in error.value.remedy
    assert "--accept-pupil" in error.value.remedy
    assert json.loads((tmp_path / "mine" / "own.json").read_text())["done"] == ["beads"]  # not retrieved again


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RIG.replace("offset_adu = 100\ngain_e_per_adu = 0.5\n", ""), "offset_adu, gain_e_per_adu are not given"),
        (RIG.replace("step_nm = 200\n", ""), "step_nm is not given"),
    ],
)
def test_what_is_missing_is_asked_for_and_leaves_no_folder(text: str, says: str, plan: Callable[..., Plan]) -> None:
    wrong = plan(text)
    with pytest.raises(InputError, match=says):
        in_terminal(wrong, resume=False)
    assert not wrong.out.exists()


def test_a_stack_without_beads_leaves_no_folder(plan: Callable[..., Plan], tmp_path: Path) -> None:
    dark = tmp_path / "dark.tif"
    frames = np.random.default_rng(0).poisson(120, (5, 40, 40)).astype(np.uint16)
    tifffile.imwrite(dark, frames, photometric="minisblack")
    wrong = plan(stacks=(dark,))
    with pytest.raises(InputError, match="no bead can be used: nothing stands out"):
        in_terminal(wrong, resume=False)
    assert not wrong.out.exists()


def test_ranges_beyond_what_the_beads_show_are_refused(plan: Callable[..., Plan], tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text("[space]\nz_nm = [-600, 600]")
    with pytest.raises(InputError, match="z_nm from -600 to 600") as error:
        in_terminal(plan(sample_space=file), resume=False)
    assert "from -399 to 400 nm" in error.value.limit


def test_an_em_register_with_much_noise_is_refused(plan: Callable[..., Plan]) -> None:
    noisy = RIG.replace("read_noise_e = 1.5", "read_noise_e = 30\nem_gain = 10")
    with pytest.raises(RigError, match="3 photo-electrons behind the EM register"):
        in_terminal(plan(noisy), resume=False)


def test_nothing_is_resumed_from_nowhere(plan: Callable[..., Plan]) -> None:
    with pytest.raises(OutputError, match=r"own\.json does not exist"):
        in_terminal(plan(), resume=True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--from-beads", "b.tif"], "--from-beads without --rig"),
        (["--from-beads", "b.tif", "--rig", "r.toml", "--steps", "3"], "--from-beads with --steps"),
        (["--minutes", "3"], "go with --from-beads"),
    ],
)
def test_options_that_do_not_go_together(
    options: list[str], says: str, livesmlm: Callable[..., CompletedProcess[str]]
) -> None:
    result = livesmlm("train", *options)
    assert result.returncode == 2
    assert says in result.stderr
