"""The drift of simulated samples is recovered; what cannot be found is said, and gives no wrong curve."""

import numpy as np
import pytest

from models.localizations import Localizations, concatenate
from stream.drift.blocks import ROWS_AT_MOST, Cutter
from stream.drift.curve import Curve
from stream.drift.fiducials import Fiducials
from stream.drift.reference import CAPACITY, Reference
from stream.drift.tracker import Tracker
from tests.stream.drift.samples import blocks, errors, linear, table, tracked, walk, with_jump

FRAMES = 6000
LATERAL_NM, AXIAL_NM = 5.0, 15.0


@pytest.mark.parametrize("structure", ["filaments", "origami"])
@pytest.mark.parametrize("kind", ["linear", "walk", "jump"])
def test_500_nm_are_recovered(kind: str, structure: str) -> None:
    frames = 2 * FRAMES if kind == "walk" else FRAMES  # it turns as often, and no line follows it within a block
    curves = {"linear": linear(frames), "walk": walk(frames, every=60), "jump": with_jump(linear(frames), 3020)}
    true = curves[kind]
    tracker, second = tracked(table(true, structure=structure), frames)
    assert tracker.remark == ""
    for curve in (tracker.curve, second):
        x_nm, y_nm, z_nm = errors(curve.at(np.arange(frames)), true)
        assert max(x_nm, y_nm) < LATERAL_NM
        assert z_nm < AXIAL_NM


def test_without_z_there_is_no_drift_along_it() -> None:
    true = linear(2000) * (1, 1, 0)
    tracker, second = tracked(table(true, depth_nm=0), 2000)
    assert not tracker.curve.deep
    assert not second.drift_nm[:, 2].any()
    assert errors(second.at(np.arange(2000)), true).max() < LATERAL_NM


def test_raw_positions_stay_and_corrected_ones_do_not_move() -> None:
    true = linear(2000)
    seen = table(true)
    before = {name: seen[name].copy() for name in seen}
    _, curve = tracked(seen, 2000)
    still = curve.corrected(seen)
    assert all((seen[name] == before[name]).all() for name in seen)
    rest = np.asarray(seen["x_nm"]) - true[seen["frame"], 0] - np.asarray(still["x_nm"])
    assert np.std(rest) < LATERAL_NM


def test_a_sample_that_moves_out_of_reach_is_said_to_be_lost_and_found_again() -> None:
    true = with_jump(linear(3000, (0.0, 0.0, 0.0)), 1500, (500.0, 0.0, 0.0))
    tracker, cut = Tracker(200.0), blocks(table(true), 3000)
    said = []
    for block in cut:
        tracker.add(block)
        said.append(tracker.remark)
    assert any("no drift was found within 200 nm since frame 14" in remark for remark in said)
    assert said[-1] == ""
    assert tracker.curve.drift_nm[-1, 0] == pytest.approx(500, abs=LATERAL_NM)


def test_noise_gives_no_curve() -> None:
    rng, per_frame = np.random.default_rng(0), 20
    frame = np.repeat(np.arange(2000), per_frame)
    anywhere = Localizations(
        {"frame": frame, "x_nm": rng.uniform(0, 2e4, len(frame)), "y_nm": rng.uniform(0, 2e4, len(frame))}
    )
    tracker = Tracker(200.0)
    for block in blocks(anywhere, 2000):
        tracker.add(block)
    assert len(tracker.curve) <= 2
    assert "no drift was found" in tracker.remark


def test_blocks_with_too_few_go_on_into_the_next() -> None:
    cut = blocks(table(linear(1000), per_frame=2), 1000)
    assert all(len(block) >= 300 for block in cut)
    assert sum(len(block.number) for block in cut) == cut[-1].number.stop
    assert not blocks(table(linear(20), per_frame=1), 20)


def test_gaps_in_the_frames_and_tables_without_rows_are_no_matter() -> None:
    true, gap = linear(3000), (1000, 1400)
    seen = table(true)
    frame = np.asarray(seen["frame"])
    tracker, _ = tracked(seen.where((frame < gap[0]) | (frame >= gap[1])), 3000)
    assert errors(tracker.curve.at(np.arange(3000)), true).max() < LATERAL_NM
    cutter = Cutter(50, 300)
    assert list(cutter.add(seen.where(frame < 0), 0, 99)) == []
    assert cutter.finish() is None


def test_one_localization_and_numbers_that_are_none() -> None:
    one = Localizations({"frame": np.array([3]), "x_nm": np.array([5.0]), "y_nm": np.array([7.0])})
    nothing = Localizations({"frame": np.array([3]), "x_nm": np.array([np.nan]), "y_nm": np.array([7.0])})
    cutter = Cutter(50, 1)
    assert list(cutter.add(concatenate([one, nothing]), 3, 3)) == []
    block = cutter.finish()
    assert block is not None
    assert len(block) == 1
    tracker = Tracker(200.0)
    assert tracker.add(block)
    assert tracker.curve.at(np.array([0, 10])).tolist() == [[0, 0, 0]] * 2


def test_memory_does_not_grow_with_the_night() -> None:
    reference = Reference(capacity=1000)
    for block in range(50):
        reference.add(np.full((400, 3), block, np.float32), block)
    assert len(reference) == 1000
    kept = reference.bins(200.0).points[:, 0]
    assert abs(np.mean(kept) - 24.5) < 2.5, "all times count the same"
    assert CAPACITY * 16 < 4e6
    dense = table(linear(50), per_frame=3000)
    assert all(len(block) <= ROWS_AT_MOST for block in blocks(dense, 50))


def test_between_knots_it_is_straight_and_far_beyond_constant() -> None:
    curve = Curve()
    for frame, x_nm in ((100.0, 0.0), (200.0, 10.0), (300.0, 20.0)):
        curve.add(frame, np.array([x_nm, 0.0, 0.0]))
    assert curve.at(np.array([100, 150, 300]))[:, 0].tolist() == [0, 5, 20]
    assert curve.at(np.array([350]))[0, 0] == pytest.approx(25)
    assert curve.at(np.array([10_000]))[0, 0] == pytest.approx(30)
    assert Curve().at(np.array([5])).tolist() == [[0, 0, 0]]


def test_beads_that_are_marked_carry_the_drift() -> None:
    true = walk(2000, every=50)
    rng, beads = np.random.default_rng(2), np.array([[4000.0, 5000.0, 0.0], [9000.0, 2000.0, 0.0]])
    frame = np.repeat(np.arange(2000), 2)
    places = beads[np.tile((0, 1), 2000)] + true[frame] + rng.normal(0, 5, (4000, 3))
    columns = {"frame": frame, "x_nm": places[:, 0], "y_nm": places[:, 1], "z_nm": places[:, 2]}
    sigmas = {name: np.full(4000, 5.0) for name in ("sigma_x_nm", "sigma_y_nm", "sigma_z_nm")}
    seen = Localizations(columns | sigmas)
    fiducials = Fiducials([(4000.0, 5000.0), (9000.0, 2000.0)], 200.0)
    for block in blocks(seen, 2000, block_frames=20, enough=1):
        assert fiducials.add(block)
    assert errors(fiducials.curve.at(np.arange(2000)), true).max() < LATERAL_NM
    lost = Fiducials([(15_000.0, 15_000.0)], 200.0)
    assert not lost.add(blocks(seen, 2000, 20, 1)[0])
    assert "no bead within 200 nm of where those marked at (15000, 15000)" in lost.remark
