"""Vectorial spots against independent programs, closed forms and conservation laws."""

from dataclasses import replace

import numpy as np
import pytest
from psf_generator.propagators.vectorial_spherical_propagator import VectorialSphericalPropagator

from models.optics import phase_masks
from models.optics.interfaces import PlaneWaves
from models.optics.objective import Objective
from models.optics.propagator import Propagator, Setup
from models.optics.pupil import FREE_ROTATION
from models.optics.vectorial import Aberration, VectorialSpot

OIL = Objective(numerical_aperture=1.4, immersion_index=1.518, coverslip_index=1.518, sample_index=1.518)
WATER = Objective(numerical_aperture=1.4, sample_index=1.33)
FINE = 256


def points(setup: Setup, position_nm: np.ndarray, samples: int, pitch_nm: float) -> np.ndarray:
    """Return point samples of the freely rotating dipole's image, not integrated over pixels, (n, y, x)."""
    fields = Propagator(setup, samples, pitch_nm).fields(position_nm, 0 * position_nm[:, 0], None)
    return np.einsum("c,ncyx->nyx", FREE_ROTATION, np.abs(fields.values) ** 2)


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the normalised root mean square difference of each image; one factor for the whole stack."""
    one = one * (one * other).sum() / (one**2).sum()
    return np.linalg.norm(one - other, axis=(1, 2)) / np.linalg.norm(other, axis=(1, 2))


@pytest.mark.filterwarnings("ignore")
def test_psf_generator_gives_the_same_image_in_a_matched_medium() -> None:
    """By reciprocity the image of a freely rotating dipole is the focus of light of both polarisations.

    Its traps: the pitch is the field over n - 1; z spans steps x n / 2 to both sides; `n_i0` sets the aperture.
    """
    size, pitch = 31, 100.0
    common = {
        "n_pix_pupil": 1024, "n_pix_psf": size, "wavelength": 680, "na": 1.4, "pix_size": pitch * (size - 1) / size,
        "defocus_step": 400, "n_defocus": 5, "apod_factor": True, "n_i": 1.518, "n_i0": 1.518,
    }  # fmt: skip
    fields = [VectorialSphericalPropagator(e0x=a, e0y=b, **common).compute_focus_field() for a, b in ((1, 0), (0, 1))]
    theirs = sum((abs(field) ** 2).sum(1).numpy() for field in fields)
    z = np.linspace(-1000, 1000, 5)
    ours = points(Setup(OIL, pupil_samples=FINE), np.stack((0 * z, 0 * z, z), 1), size, pitch)
    assert difference(ours, theirs).max() < 1e-3


@pytest.mark.parametrize("aperture", [1.2, 1.4])
def test_psfmodels_gives_the_same_image_where_the_indices_differ(aperture: float) -> None:
    """An emitter on the coverslip in water while the stage moves.

    It is GPL, so it is compared with only where it happens to be installed. With NA 1.4 the two differ by up to a
    percent in the light above the critical angle, which it samples coarsely.
    """
    psfmodels = pytest.importorskip("psfmodels")
    size, pitch, z = 31, 100.0, np.linspace(-1, 1, 5)
    theirs = psfmodels.vectorial_psf(
        z, nx=size, dxy=pitch / 1000, pz=0, wvl=0.68, normalize=False,
        params={"NA": aperture, "ni": 1.518, "ni0": 1.518, "ns": 1.33, "ng": 1.518, "ng0": 1.518, "sf": 9},
    )  # fmt: skip
    setup = Setup(replace(WATER, numerical_aperture=aperture), pupil_samples=FINE)
    spot = VectorialSpot(setup, pitch, size)
    ours = spot(np.zeros((5, 3)), Aberration(focus_nm=-1000 * z))
    assert difference(ours, theirs).max() < (3e-3 if aperture < 1.33 else 1.2e-2)


def test_the_copied_form_of_the_transmission_is_another_one() -> None:
    """t(sample -> immersion) / sqrt(cos of the immersion angle) agrees in a matched medium only."""
    radius = np.linspace(0, 0.9, 10)
    for objective, same in ((OIL, True), (replace(WATER, numerical_aperture=1.2), False)):
        waves = PlaneWaves.at(objective, radius)
        n_i, n_m = objective.immersion_index, objective.sample_index
        c_i, c_m = waves.cos_immersion, waves.cos_sample
        emitted = 2 * n_m * c_m / (n_m * c_m + n_i * c_i)
        np.testing.assert_allclose(waves.s, emitted * (n_i / n_m) * c_i / c_m, rtol=1e-12)  # reciprocity
        ratio = emitted / waves.s
        assert np.allclose(ratio, ratio[0], rtol=1e-3) == same


@pytest.mark.parametrize("height_nm", [0.0, 150.0, 800.0])
@pytest.mark.parametrize("mask", [None, phase_masks.double_helix(), phase_masks.vortex(), phase_masks.astigmatism(0.3)])
def test_a_mask_of_phase_conserves_the_light(height_nm: float, mask) -> None:
    """Over a window as wide as the transform's period; light above the critical angle decays, collected light is 1."""
    samples = 32
    setup = Setup(WATER, mask=mask, pupil_samples=samples)
    propagator = Propagator(setup, 4 * samples, WATER.wavelength_nm / WATER.numerical_aperture / 8)
    position = np.array([[30.0, -20, height_nm]])
    fields = propagator.fields(position, np.zeros(1), None)
    light = np.einsum("c,ncyx->n", FREE_ROTATION, np.abs(fields.values) ** 2)
    cells = np.abs(propagator.pupil.amplitudes) ** 2 * (1 if fields.decay is None else fields.decay[0] ** 2)
    np.testing.assert_allclose(light, np.einsum("c,cyx->", FREE_ROTATION, cells) * (4 * samples) ** 2, rtol=1e-9)


def test_a_mask_that_absorbs_takes_its_light_away() -> None:
    half = phase_masks.free_form(np.array([[1.0, 1.0], [0.0, 0.0]]) + 0j)
    whole, masked = (
        VectorialSpot(Setup(OIL, mask=mask, pupil_samples=64), 100, 41)(np.zeros((1, 3))).sum() for mask in (None, half)
    )
    assert masked == pytest.approx(whole / 2, rel=0.05)


def test_stage_and_depth_cancel_in_a_matched_medium_only() -> None:
    z = np.array([[0.0, 0, 400]])
    for objective, same in ((OIL, True), (WATER, False)):
        spot = VectorialSpot(Setup(objective, pupil_samples=64), 100, 21)
        refocused = spot(z, Aberration(focus_nm=np.array([-400.0])))
        assert np.allclose(refocused, spot(0 * z), atol=1e-9) == same


def test_defocus_is_mirrored_and_so_is_the_twin() -> None:
    """z -> -z with the even aberrations turned over gives the same image: nothing tells the two apart."""
    waves = {6: 0.1, 8: 0.05, 11: -0.04}
    twin = {6: -0.1, 8: 0.05, 11: 0.04}
    z = np.array([[0.0, 0, 350]])
    one, other = (VectorialSpot(Setup(OIL, zernike_waves=w, pupil_samples=64), 100, 21) for w in (waves, twin))
    np.testing.assert_allclose(one(z), other(-z), atol=1e-12)


def test_an_even_window_has_no_middle() -> None:
    with pytest.raises(ValueError, match="size_px = 20"):
        VectorialSpot(Setup(), 100, 20)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"numerical_aperture": 1.6}, "below 1.518"),
        ({"numerical_aperture": 0.0}, "above 0"),
        ({"sample_index": 0.9}, "sample_index = 0.9: must be from 1 to 2.5"),
        ({"wavelength_nm": 0.68}, "wavelength_nm = 0.68: must be from 200 to 2000"),
    ],
)
def test_optics_that_no_microscope_has(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Objective(**wrong)
