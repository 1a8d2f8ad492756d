"""Spots that stay are told from molecules that come and go."""

import numpy as np

from models.localizations import Localizations, empty
from stream.bleaching.spots import static_spots

FRAMES = 10


def table(places, seen, seed=1, **more):
    rng = np.random.default_rng(seed)
    frame = np.concatenate([np.sort(rng.choice(FRAMES, count, replace=False)) for count in seen])
    xy = np.repeat(places, seen, axis=0) + rng.normal(0, 8, (len(frame), 2))
    order = np.argsort(frame, kind="stable")
    photons = np.repeat(np.arange(len(places)) * 100.0 + 500, seen)
    columns = {"frame": frame, "x_nm": xy[:, 0], "y_nm": xy[:, 1], "photons": photons} | more
    return Localizations({name: np.asarray(values)[order] for name, values in columns.items()})


def test_those_seen_often_stay_and_the_brightest_comes_first():
    places = np.array([[1000.0, 1000], [2000, 3000], [4000, 1500]])
    found = static_spots(table(places, [10, 8, 1]), FRAMES, 100)
    np.testing.assert_allclose(found[:, :2], places[[1, 0]], atol=15)
    assert (found[:, 2] == 0).all()


def test_two_that_cannot_be_told_apart_are_one():
    places = np.array([[1000.0, 1000], [1110, 1000], [3000, 1000]])
    assert len(static_spots(table(places, [10, 10, 10]), FRAMES, 100)) == 2


def test_depth_is_kept():
    z = np.full(10, 250.0)
    assert static_spots(table(np.array([[500.0, 500]]), [10], z_nm=z), FRAMES, 100)[0, 2] == 250


def test_nothing_found_is_nothing():
    assert static_spots(empty(), FRAMES, 100).shape == (0, 3)
    assert static_spots(table(np.array([[500.0, 500]]), [2]), FRAMES, 100).shape == (0, 3)
