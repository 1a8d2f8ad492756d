"""Beads tell the drift: their mean track, whoever comes and goes."""

import numpy as np

from models.localizations import Localizations
from stream.drift.blocks import Cutter
from stream.drift.fiducials import Fiducials
from tests.stream.drift.samples import errors, linear, walk, with_jump

BEADS = ((2000.0, 3000.0), (7000.0, 1000.0), (5000.0, 8000.0))


def seen(drift: np.ndarray, dark: dict[int, range] | None = None, others: int = 5) -> Localizations:
    """Three beads in each frame, but for those that are dark, and molecules anywhere."""
    rng = np.random.default_rng(0)
    frames = len(drift)
    parts = []
    for number, (x, y) in enumerate(BEADS):
        on = np.array([frame for frame in range(frames) if frame not in (dark or {}).get(number, ())])
        parts.append(np.column_stack((on, np.tile((x, y, 50.0 * number), (len(on), 1)))))
    anywhere = rng.uniform((0, 0, 0, -300), (frames, 1e4, 1e4, 300), (others * frames, 4))
    rows = np.concatenate([*parts, np.floor(anywhere)])
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    place = rows[:, 1:] + drift[rows[:, 0].astype(int)] + rng.normal(0, 1, (len(rows), 3)) * (5, 5, 12)
    return Localizations({"frame": rows[:, 0], "x_nm": place[:, 0], "y_nm": place[:, 1], "z_nm": place[:, 2]})


def followed(table: Localizations, frames: int, beads: tuple = BEADS) -> Fiducials:
    fiducials = Fiducials(beads, 200.0)
    for block in Cutter(20, 1).add(table, 0, frames - 1):
        fiducials.add(block)
    return fiducials


def test_the_mean_track_is_the_drift():
    drift = with_jump(walk(2000, every=100), 1234)
    fiducials = followed(seen(drift), 2000)
    assert errors(fiducials.curve.at(np.arange(2000)), drift).max() < 5
    assert (len(fiducials.curve), fiducials.remark) == (100, "")


def test_a_bead_that_goes_or_comes_makes_no_step():
    drift = linear(2000)
    fiducials = followed(seen(drift, {0: range(700, 2000), 1: range(0, 400)}), 2000)
    assert errors(fiducials.curve.at(np.arange(2000)), drift).max() < 4
    assert "marked at (2000, 3000) nm should be in frame 1999" in fiducials.remark


def test_without_any_bead_the_curve_stays_and_that_is_said():
    fiducials = followed(seen(linear(400)), 400, beads=((9000.0, 9000.0),))
    assert len(fiducials.curve) == 0
    assert "(9000, 9000)" in fiducials.remark
    assert "the curve stays where it was" in fiducials.remark
