"""Masks: what each does to a spot, and files that hold none."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.io import savemat

from models.optics import phase_masks
from models.optics.crlb import spot_bounds
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot

GRID = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 9))
OIL = Objective(sample_index=1.518)


def spot(mask, size: int = 31) -> VectorialSpot:
    return VectorialSpot(Setup(OIL, mask=mask, pupil_samples=64), 100, size)


def second_moments(image: np.ndarray) -> np.ndarray:
    u = np.arange(len(image)) - (len(image) - 1) / 2
    x, y = np.meshgrid(u, u)
    light = image / image.sum()
    return np.array([[(light * a * b).sum() for b in (x, y)] for a in (x, y)])


def test_astigmatism_turns_its_axis_over_through_focus() -> None:
    below, above = (
        second_moments(spot(phase_masks.astigmatism(), 21)(np.array([[0, 0, z]]))[0]) for z in (-300.0, 300.0)
    )
    assert below[0, 0] > 1.2 * below[1, 1]
    np.testing.assert_allclose(above, below[::-1, ::-1], rtol=1e-3, atol=1e-6)


def test_the_double_helix_turns_with_z() -> None:
    z = np.linspace(-800, 800, 5)
    images = spot(phase_masks.double_helix(), 41)(np.stack((0 * z, 0 * z, z), 1))
    angles = []
    for image in images:
        values, vectors = np.linalg.eigh(second_moments(np.where(image > 0.3 * image.max(), image, 0)))
        assert values[1] > 2 * values[0]  # two lobes
        angles.append(np.arctan2(vectors[1, 1], vectors[0, 1]))
    turned = np.degrees(np.diff(np.unwrap(angles, period=np.pi)))
    assert (np.sign(turned) == np.sign(turned[0])).all()
    assert 60 < abs(turned.sum()) < 120


def test_the_vortex_darkens_the_centre() -> None:
    plain, ring = (spot(mask)(np.zeros((1, 3)))[0] for mask in (None, phase_masks.vortex()))
    assert plain[15, 15] == plain.max()
    assert ring[15, 15] < 0.6 * ring.max()


@pytest.mark.parametrize("range_um", sorted(phase_masks.TETRAPOD_WAVES))
def test_a_tetrapod_knows_z_over_its_range(range_um: int) -> None:
    """In water, 3,500 photons on 10 per pixel; without a mask z is unknown in focus."""
    size = 2 * round((10 + 8 * range_um) / 2) + 1
    setup = Setup(mask=phase_masks.tetrapod(range_um), height_nm=600 * range_um)
    z = np.linspace(-500 * range_um, 500 * range_um, 7)
    parameters = np.stack((0 * z, 0 * z, z, 0 * z + 3500, 0 * z + 10), axis=1)
    bounds = spot_bounds(VectorialSpot(setup, 110, size), parameters)
    assert bounds["z_nm"].max() < 12 + 6 * range_um
    assert bounds["x_nm"].max() < 8 + 3 * range_um


def test_a_range_without_tetrapod() -> None:
    with pytest.raises(ValueError, match="no tetrapod of 9 um"):
        phase_masks.tetrapod(9)


def test_pixels_of_a_modulator_are_flat() -> None:
    phase = np.array([[0.1, 0.2], [0.3, 0.4]])
    values = np.angle(phase_masks.free_form(phase)(*GRID))
    np.testing.assert_allclose(values[:4, :4], 0.1)
    np.testing.assert_allclose(values[:4, 5:], 0.2)  # x goes to the right, y down
    np.testing.assert_allclose(values[5:, :4], 0.3)


@pytest.mark.parametrize("name", ["mask.npy", "mask.npz", "mask.mat", "mask.tif"])
def test_a_mask_comes_from_a_file(tmp_path: Path, name: str) -> None:
    phase = np.random.default_rng(1).uniform(-np.pi, np.pi, (6, 6)).astype("f4")
    path = tmp_path / name
    {
        ".npy": lambda: np.save(path, phase), ".npz": lambda: np.savez(path, phase=phase),
        ".mat": lambda: savemat(path, {"phase": phase}), ".tif": lambda: tifffile.imwrite(path, phase),
    }[path.suffix]()  # fmt: skip
    np.testing.assert_allclose(phase_masks.read(path)(*GRID), phase_masks.free_form(phase)(*GRID), atol=1e-6)


@pytest.mark.parametrize("name", ["mask.npy", "mask.npz", "mask.mat", "mask.tif", "mask.txt"])
@pytest.mark.parametrize("content", [None, b"", b"no mask"])
def test_a_file_that_holds_no_mask(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=name):
        phase_masks.read(tmp_path / name)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.zeros((2, 2, 2)), "two axes"), (np.full((2, 2), np.nan), "4 pixels of the mask are not finite"),
        (np.full((2, 2), 2 + 0j), "transmits up to 2"),
    ],
)  # fmt: skip
def test_a_mask_that_cannot_be(values: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        phase_masks.free_form(values)


def test_two_arrays_are_one_too_many(tmp_path: Path) -> None:
    np.savez(tmp_path / "mask.npz", one=np.zeros((3, 3)), other=np.zeros((3, 3)))
    with pytest.raises(ValueError, match="holds 2 arrays"):
        phase_masks.read(tmp_path / "mask.npz")
