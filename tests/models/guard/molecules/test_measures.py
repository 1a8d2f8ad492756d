"""The measures: without a cause they scatter about 0 as noise does, and with one they say which and how much."""

from collections.abc import Callable

import numpy as np
import pytest

from models.camera import Camera
from models.guard.molecules.in_focus import SHAPES, Mixed, Part, templates_in_focus
from models.guard.molecules.measures import OTHERS, Seen, alone, look
from models.guard.molecules.optics import Change
from models.guard.molecules.subject import InDepth
from models.guard.molecules.templates import NOLL, Templates
from models.localizations import Localizations
from models.refining.widths import gaussian_spline

Molecules = tuple[np.ndarray, np.ndarray, Localizations]
COUNT = 300


@pytest.fixture(scope="module")
def templates(subject: InDepth) -> Templates:
    return subject.templates()


def seen(molecules: Molecules, subject: InDepth, camera: Camera, templates: Templates) -> Seen:
    counts, frame, table = molecules
    return look(counts, frame, table, np.arange(len(table)), subject.optics(camera), templates)


def test_the_scores_of_matched_molecules_are_standard_normal(
    draw: Callable[..., Molecules], subject: InDepth, camera: Camera, templates: Templates
) -> None:
    shapes = seen(draw(COUNT), subject, camera, templates).measures[:, : len(templates.names)]
    assert np.abs(shapes.mean(0)).max() < 4 / np.sqrt(COUNT)
    assert shapes.std(0) == pytest.approx(np.ones(len(templates.names)), abs=0.15)


def test_the_noise_of_matched_molecules_is_what_the_camera_says(
    draw: Callable[..., Molecules], subject: InDepth, camera: Camera, templates: Templates
) -> None:
    noise = seen(draw(COUNT), subject, camera, templates).measures[:, len(templates.names) :][:, :2]
    assert np.abs(noise.mean(0)).max() < 0.5  # each fit takes up ten of 225 degrees of freedom: -0.47
    assert noise.std(0) == pytest.approx([1, 1], abs=0.2)


@pytest.mark.parametrize("name", ["astigmatism", "coma along x", "trefoil along y", "spherical aberration"])
@pytest.mark.parametrize("waves", [0.02, -0.02])
def test_the_scores_tell_by_how_many_waves_an_aberration_has_changed(
    draw: Callable[..., Molecules], subject: InDepth, camera: Camera, templates: Templates, name: str, waves: float
) -> None:
    found = seen(draw(COUNT, Change(NOLL[name], waves)), subject, camera, templates)
    amounts = np.linalg.solve(found.information.sum(0), found.score.sum(0))[: len(NOLL)]
    expected = np.where(np.array(list(NOLL)) == name, waves, 0.0)
    assert amounts == pytest.approx(expected, abs=0.006)


def test_a_gain_that_is_too_low_in_the_rig_shows_as_noise(
    draw: Callable[..., Molecules], subject: InDepth, camera: Camera, templates: Templates
) -> None:
    """The rig thinks that there are a tenth more electrons than there were: so their noise is a tenth too large."""
    noise = seen(draw(COUNT, gain=1.1), subject, camera, templates).measures[:, len(templates.names)]
    pixels = 15 * 15
    assert noise.mean() == pytest.approx(0.1 * np.sqrt(pixels / 2), rel=0.3)


def test_pulls_are_what_was_told_less_the_fit(
    draw: Callable[..., Molecules], subject: InDepth, camera: Camera, templates: Templates
) -> None:
    counts, frame, table = draw(COUNT)
    moved = Localizations({n: table[n] + (90.0 if n == "z_nm" else 0.0) for n in table})
    found = seen((counts, frame, moved), subject, camera, templates).measures[:, len(templates.names) :]
    pull_z = found[:, OTHERS.index("pull_z")]
    assert np.median(pull_z) == pytest.approx(3, abs=0.3)


def test_only_molecules_without_a_neighbour_and_within_the_frame_are_looked_at(subject: InDepth) -> None:
    x = np.array([1000.0, 1000.0, 3000.0, 200.0, 1500.0])
    y = np.array([1000.0, 2500.0, 3000.0, 2000.0, 2900.0])
    table = Localizations({"frame": np.zeros(5), "x_nm": x, "y_nm": y})
    rows = alone(table, np.zeros(5, np.int64), (40, 40), subject.spline)
    assert rows.tolist() == [0, 2]  # two are close to each other, one hangs over the edge


def test_templates_add_no_light(templates: Templates) -> None:
    """What an aberration takes from one pixel it gives to another, nearly all of them within the window."""
    middle = templates.coefficients.shape[1] // 2
    for name, coefficients in zip(templates.names, templates.coefficients, strict=True):
        if name in NOLL:
            total, moved = coefficients[middle].sum(), np.abs(coefficients[middle]).sum()
            assert abs(total) < 0.15 * moved, name


def test_templates_in_focus_are_the_derivatives_of_gaussians() -> None:
    made = templates_in_focus(100.0, 13)
    spline = gaussian_spline(100.0, 13)
    assert made.names == tuple(SHAPES)
    assert made.coefficients.shape[1:] == spline.coefficients.shape
    place = np.array([[10.0, -20.0, 130.0]])
    longer = Mixed((Part(1, 0, 0, 1.02, 0.98),), 100.0)(place) - Mixed((Part(1),), 100.0)(place)
    assert Mixed(SHAPES["longer along x"], 100.0)(place) * 0.02 == pytest.approx(longer, abs=4e-5)
