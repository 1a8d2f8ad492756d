"""The PSF as it is shown: at the heights that it is known for, on the spot's own pixels."""

import numpy as np
import pytest

from models.aberrations.watch import SLICE_PIXEL_NM, Known
from models.optics.gaussian import GaussianSpot, astigmatic, profiles
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.slices import slices
from models.scenes.optics import MASKS

SPOT = GaussianSpot(astigmatic(120.0, -300.0, 300.0, 400.0), 100.0, 21)
KNOWN = Known(
    Setup(Objective(sample_index=1.518), {4: 0.02, 6: 0.03, 30: 0.01}, MASKS["astigmatism"], height_nm=650.0), 100.0
)


def widths(image: np.ndarray) -> tuple[float, float]:
    """Return the standard deviations in x and y of the brighter half, in pixels."""
    light = np.where(image > image.max() / 2, image, 0) / image[image > image.max() / 2].sum()
    at = np.arange(len(image)) - len(image) // 2
    return float(np.sqrt((light.sum(0) * at**2).sum())), float(np.sqrt((light.sum(1) * at**2).sum()))


def test_a_gaussian_is_shown_as_its_closed_form():
    shown = slices(SPOT, -2000, 2000)
    assert (shown.z_nm, shown.pixel_nm, shown.images.dtype) == ((-500.0, 0.0, 500.0), 100.0, np.float32)
    sigma = 1.2 * np.sqrt(1 + ((-500.0 + np.array([300.0, -300.0])) / 400) ** 2)
    columns, rows = (profiles(np.array([10.5]), s, 21)[0] for s in sigma)
    np.testing.assert_allclose(shown.images[0], np.outer(rows, columns), rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize(("known", "shown"), [((-650, 650), (-500, 0, 500)), ((0, 650), (0, 250, 500))])
def test_no_height_is_shown_that_the_spot_is_not_known_for(known, shown):
    assert slices(SPOT, *known).z_nm == shown


def test_astigmatism_shows_as_lines_across_each_other():
    low, _, high = KNOWN.psf().images
    assert np.subtract(*widths(low)) * np.subtract(*widths(high)) < -1


def test_what_has_become_of_the_pupil_is_shown_and_what_is_not_followed_stays():
    waves = np.zeros(24)
    waves[1], waves[3] = 0.03, 0.05
    aberrations = KNOWN.behind(waves)
    assert {j: c for j, c in aberrations.items() if c} == {4: 0.02, 6: 0.03, 8: 0.05, 30: 0.01}
    before, after = KNOWN.psf(), KNOWN.psf(waves)
    assert after.images.shape == before.images.shape == (3, 55, 55)
    assert after.pixel_nm == SLICE_PIXEL_NM
    assert 0.5 < after.images[1].max() / before.images[1].max() < 0.99, "coma takes light from the middle"


def test_a_window_of_focal_planes_on_the_coverslip_begins_there():
    on_coverslip = Known(Setup(Objective(), None, MASKS["astigmatism"]), 100.0)
    assert on_coverslip.psf().z_nm == (0.0, 250.0, 500.0)
