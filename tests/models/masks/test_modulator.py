"""Modulator, calibration, panel: phases by wavelength become grey levels where the pupil is."""

from math import pi
from pathlib import Path

import numpy as np
import pytest

from models.masks.calibration import Calibration
from models.masks.file import MaskFile
from models.masks.modulator import Modulator
from models.masks.panel import Panel, pattern, phase_of
from models.masks.space import COLOURS_IN_FOCUS

TABLE = "grey,500,600\n0,0,0\n100,4,3\n255,12,9\n"


@pytest.fixture
def table(tmp_path: Path) -> Calibration:
    path = tmp_path / "slm.csv"
    path.write_text(TABLE)
    return Calibration.read(path)


def test_without_a_calibration_the_optical_path_is_the_same_for_all_colours() -> None:
    modulator = Modulator(design_nm=560)
    assert modulator.factor(560) == 1
    assert modulator.factor(700) == pytest.approx(0.8)


def test_strokes_by_wavelength_say_the_factor() -> None:
    modulator = Modulator(stroke_rad=10, design_nm=500, strokes_rad=((600.0, 8.0), (500.0, 10.0)))
    assert modulator.factor(500) == pytest.approx(1)
    assert modulator.factor(600) == pytest.approx(0.8)


def test_a_sample_space_states_strokes_of_its_colours() -> None:
    stated = COLOURS_IN_FOCUS.changed(modulator_stroke_0_rad=18.0, modulator_stroke_1_rad=16.0)
    assert Modulator.of(stated, (565.0, 605.0, 655.0)).strokes_rad == ((565.0, 18.0), (605.0, 16.0))


@pytest.mark.parametrize(
    "wrong",
    [{"pixels": 1}, {"stroke_rad": 0.0}, {"wrapped": True, "stroke_rad": 5.0}],
    ids=["pixels", "stroke", "wrap"],
)
def test_devices_that_cannot_be_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match="modulator_"):
        Modulator(**wrong)


def test_levels_are_the_inverse_of_phases(table: Calibration) -> None:
    phase = np.array([0.0, 1.5, 3.0, 6.0, 9.0])
    assert table.levels(phase, 600) == pytest.approx([0, 50, 100, 177.5, 255])
    assert table.stroke_rad(550) == pytest.approx((12 * 500 + 9 * 600) / 2 / 550)


def test_a_phase_beyond_the_stroke_is_refused_or_wrapped(table: Calibration) -> None:
    with pytest.raises(ValueError, match=r"10\.00 rad at 600 nm, the modulator has 9\.00: wrap it"):
        table.levels(np.array([10.0]), 600)
    assert table.levels(np.array([2 * pi + 3.0]), 600, wrap=True) == pytest.approx([100])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("grey,500\n0,0\n1,2\n2,1\n", "does not rise after grey level 1"),
        ("grey,500\n0,0\n", "two levels or more"),
        ("grey,600,500\n0,0,0\n9,1,1\n", "wavelengths"),
        ("grey,500\n0,0\n1,nan\n", "finite"),
        ("", "calibration"),
        ("grey,500\n0\n1\n", "two levels or more"),
    ],
)
def test_tables_that_cannot_be_are_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "slm.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=what):
        Calibration.read(path)


def test_a_wavelength_far_away_is_refused(table: Calibration) -> None:
    with pytest.raises(ValueError, match="700 nm: calibrated from 500 to 600 nm"):
        table.phases(700)


def test_the_panel_shows_each_cell_where_the_pupil_is() -> None:
    mask = MaskFile(np.array([[1.0, 2.0], [3.0, 4.0]]), 600.0)
    linear = Calibration.linear(8, 3.0, 600.0)
    panel = Panel(12, 10, 8, centre_px=(5.0, 4.0), pupil_px=4.0)
    image = pattern(phase_of(mask), 600.0, panel, linear)
    expected = np.zeros((10, 12), np.uint8)
    expected[2:4, 3:5], expected[2:4, 5:7], expected[4:6, 3:5], expected[4:6, 5:7] = 0, 85, 170, 255
    assert (image == expected).all()
    turned = pattern(phase_of(mask), 600.0, Panel(12, 10, 8, (5.0, 4.0), 4.0, mirrored=True), linear)
    assert (turned[2:6, 3:7] == expected[2:6, 3:7][:, ::-1]).all()
    assert pattern(phase_of(mask), 600.0, panel, Calibration.linear(8, 6.0, 600.0)).max() == 128


def test_a_table_with_more_levels_than_bits_is_refused() -> None:
    mask = MaskFile(np.zeros((2, 2)), 600.0)
    with pytest.raises(ValueError, match="grey level 65535, 8 bits to 255"):
        pattern(phase_of(mask), 600.0, Panel(8, 8, 8, (4.0, 4.0), 4.0), Calibration.linear(16, 6.3, 600.0))


def test_a_mask_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mask.npz"
    MaskFile(np.arange(6.0).reshape(2, 3), 605.0).save(path)
    back = MaskFile.load(path)
    assert back.wavelength_nm == 605
    assert (back.phase_rad == np.arange(6).reshape(2, 3)).all()
    np.savez(path, other=np.zeros(3))
    with pytest.raises(ValueError, match="holds no mask"):
        MaskFile.load(path)
