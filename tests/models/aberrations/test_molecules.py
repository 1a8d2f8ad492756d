"""Crops hold the pixels around their molecule, and only molecules that are alone."""

import numpy as np

from models.aberrations.molecules import best, cut, joined
from models.camera import Camera
from models.localizations import Localizations

CAMERA = Camera(offset_adu=0, gain_adu_per_e=1.0, read_noise_e=2.0, quantum_efficiency=0.5)


def table(x_px: list[float], y_px: list[float], frame: list[int], **more: list[float]) -> Localizations:
    count = len(x_px)
    columns = {
        "frame": np.array(frame), "x_nm": 100.0 * np.array(x_px), "y_nm": 100.0 * np.array(y_px),
        "z_nm": np.zeros(count), "photons": np.full(count, 1000.0), "background": np.full(count, 5.0),
    }  # fmt: skip
    return Localizations(columns | {name: np.array(values) for name, values in more.items()})


def test_a_crop_is_centred_on_the_pixel_of_its_molecule() -> None:
    counts = np.arange(2 * 30 * 40, dtype=np.float32).reshape(2, 30, 40)
    found = cut(counts, np.array([1]), table([20.7], [9.2], [1]), CAMERA, 100.0, 5)
    assert np.array_equal(found.counts[0], counts[1, 7:12, 18:23])
    assert np.allclose(found.position_nm[0], [20, -30, 0])
    assert found.photons[0] == 500
    assert (found.variance == 4).all()


def test_neighbours_and_those_at_the_edge_are_left_out() -> None:
    frame = np.zeros(4, np.int64)
    found = cut(
        np.zeros((1, 40, 40), np.float32), frame, table([10, 12, 30, 1], [10, 12, 30, 20], [0] * 4), CAMERA, 100.0, 9
    )
    assert np.allclose(found.place_nm, [[3000, 3000]])


def test_each_part_of_the_depth_gives_its_brightest() -> None:
    rng = np.random.default_rng(1)
    z = np.concatenate((rng.uniform(-20, 20, 90), [-600.0, 600.0]))
    photons = np.concatenate((rng.uniform(1000, 2000, 90), [300.0, 300.0]))
    where = [20.0] * 92
    one = table(where, where, list(range(92)), z_nm=z.tolist(), photons=photons.tolist())
    found = best(cut(np.zeros((92, 40, 40), np.float32), np.arange(92), one, CAMERA, 100.0, 9), 10)
    assert len(found) == 10
    assert {-600.0, 600.0} <= set(found.position_nm[:, 2])
    assert found.photons[np.abs(found.position_nm[:, 2]) < 100].min() >= np.sort(photons / 2)[-10]


def test_all_molecules_of_several_tables() -> None:
    part = cut(np.zeros((1, 40, 40), np.float32), np.array([0]), table([20], [20], [0]), CAMERA, 100.0, 9)
    assert len(joined([part, part])) == 2
