"""Known drift of a simulated sample is found again, live and by the second pass; what cannot be found is said."""

import numpy as np
import pytest

from models.localizations import Localizations
from stream.drift.blocks import Cutter
from stream.drift.reference import CAPACITY, Reference
from stream.drift.second_pass import SecondPass
from stream.drift.tracker import Tracker
from tests.stream.drift.samples import errors, linear, table, walk, with_jump

FRAMES = 6000
DRIFTS = {
    "linear": linear(FRAMES),
    "walk": walk(FRAMES, every=300),
    "jump": with_jump(linear(FRAMES), 3000),
    "jump within a block": with_jump(walk(FRAMES, every=300), 2970),
}


def tracked(localizations: Localizations, frames: int, block_frames: int = 100, enough: int = 300) -> Tracker:
    tracker, cutter = Tracker(200.0), Cutter(block_frames, enough)
    frame = np.asarray(localizations["frame"])
    for first in range(0, frames, 16):
        rows = slice(*np.searchsorted(frame, [first, first + 16]))
        for block in cutter.add(localizations.where(rows), first, first + 15):
            tracker.add(block)
    return tracker


@pytest.mark.parametrize("structure", ["filaments", "origami"])
@pytest.mark.parametrize("name", DRIFTS)
def test_500_nm_in_three_dimensions_are_found_again(name, structure):
    drift = DRIFTS[name]
    localizations = table(drift, structure=structure)
    tracker = tracked(localizations, FRAMES)
    second, cutter = SecondPass(tracker.curve, tracker.reference), Cutter(100, 300)
    for block in cutter.add(localizations, 0, FRAMES - 1):
        second.add(block)
    for curve in (tracker.curve, second.curve()):
        off = errors(curve.at(np.arange(FRAMES)), drift)
        assert off[:2].max() < 5
        assert off[2] < 15
    assert (tracker.remark, len(tracker.curve)) == ("", 60)


def test_a_sample_in_focus_drifts_in_the_plane():
    localizations = table(linear(2000, (200, -100, 0)), depth_nm=0)
    tracker = tracked(localizations, 2000)
    assert errors(tracker.curve.at(np.arange(2000)), linear(2000, (200, -100, 0))).max() < 3
    assert not tracker.curve.deep
    assert not tracker.curve.drift_nm[:, 2].any()


def test_the_second_pass_mends_what_the_first_was_off():
    drift = linear(4000)
    localizations = table(drift, per_frame=20)
    tracker = tracked(localizations, 4000)
    tracker.curve.drift_nm[20:] += (15.0, -10.0, 20.0)
    second = SecondPass(tracker.curve, tracked(localizations, 4000).reference)
    for block in Cutter(100, 300).add(localizations, 0, 3999):
        second.add(block)
    assert errors(second.curve().at(np.arange(4000)), drift).max() < 3
    assert second.curve().drift_nm[0].tolist() == [0, 0, 0]


def test_too_few_localizations_give_no_curve():
    tracker = tracked(table(linear(500), per_frame=0.2), 500)
    assert (len(tracker.curve), tracker.remark) == (0, "")
    assert tracker.curve.at(np.arange(3)).tolist() == [[0.0] * 3] * 3


def test_one_molecule_tells_its_own_way():
    drift = walk(2000, 300, every=200)
    rng = np.random.default_rng(0)
    place = 5000 + drift + rng.normal(0, 1, drift.shape) * (10, 10, 25)
    one = Localizations(
        {"frame": np.arange(2000), "x_nm": place[:, 0], "y_nm": place[:, 1], "z_nm": place[:, 2] - 5000}
    )
    tracker = tracked(one, 2000, enough=50)
    assert errors(tracker.curve.at(np.arange(2000)), drift).max() < 10


def test_a_sample_without_any_structure_is_not_followed_and_that_is_said():
    rng = np.random.default_rng(1)
    frame = np.repeat(np.arange(1000), 20)
    x, y = rng.uniform(0, 20_000, (2, len(frame)))
    tracker = tracked(Localizations({"frame": frame, "x_nm": x, "y_nm": y}), 1000)
    assert len(tracker.curve) == 1
    assert "no drift was found within 200 nm since frame 50" in tracker.remark
    assert not tracker.curve.at(np.arange(1000)).any()


def test_a_gap_in_the_frames_is_bridged():
    drift = linear(4000, (120, -160, 60))
    localizations = table(drift)
    frame = np.asarray(localizations["frame"])
    kept = (frame < 1250) | (frame >= 2330)
    tracker = tracked(localizations.where(kept), 4000)
    assert errors(tracker.curve.at(np.arange(4000)), drift).max() < 3


@pytest.mark.parametrize("jump_nm", [(300, 0, 0), (450, -450, 0)])
def test_a_step_beyond_the_search_is_said_and_found_farther_out(jump_nm):
    drift = with_jump(linear(4000, (60, 80, 0)), 2000, jump_nm)
    localizations = table(drift)
    before, tracker = tracked(localizations, 2200), tracked(localizations, 4000)
    assert "no drift was found within 200 nm since frame 19" in before.remark
    assert np.hypot(*before.curve.drift_nm[-1][:2]) < 60
    assert tracker.remark == ""
    found = tracker.curve.at(np.arange(2200, 4000)) - tracker.curve.at(np.array([0]))
    np.testing.assert_allclose(found, drift[2200:] - drift[0], atol=8)


def test_another_sample_is_never_taken_for_the_first():
    first, second = table(np.zeros((1000, 3))), table(np.zeros((1000, 3)), seed=2)
    later = Localizations({name: second[name] + (1000 if name == "frame" else 0) for name in second})
    tracker, cutter = Tracker(200.0), Cutter(100, 300)
    for part, begin in ((first, 0), (later, 1000)):
        for block in cutter.add(part, begin, begin + 999):
            tracker.add(block)
    assert len(tracker.curve) == 10
    assert "no drift was found" in tracker.remark


def test_the_reference_is_bounded_and_even():
    reference = Reference(capacity=1000)
    for block in range(100):
        reference.add(np.full((500, 3), block, np.float32), block)
    assert len(reference) == 1000
    kept = reference.bins(1.0).block
    assert kept.mean() == pytest.approx(49.5, abs=4)
    assert np.bincount(kept // 10, minlength=10).min() > 50
    assert CAPACITY * 16 < 4e6


def test_the_same_tables_give_the_same_curve():
    localizations = table(linear(1000))
    one, other = (tracked(localizations, 1000).curve for _ in range(2))
    np.testing.assert_array_equal(one.drift_nm, other.drift_nm)
