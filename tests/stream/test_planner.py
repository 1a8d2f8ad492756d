"""What `livesmlm check` concludes from measured times."""

from dataclasses import replace
from math import isnan, nan

import pytest

from stream import zoo
from stream.config import Rig
from stream.planner import BATCHES, SPARE, Plan, plan

SHIPPED = zoo.shipped()
CARD = SHIPPED["2d-accurate"]
SHAPE = (256, 256)


def rig(**sections) -> Rig:
    return Rig.model_validate({"camera": {"pixel_size_nm": 100}, **sections})


def planned(frames_per_s: float, camera: float, network_share: float = 1.0, lit: float = 1.0, **sections) -> Plan:
    """Batches cost 10 ms and then as much for each frame as the rate says."""
    seconds = {size: 0.01 + size / frames_per_s for size in BATCHES}
    network = network_share * seconds[BATCHES[-1]]
    return plan(seconds, network, camera, rig(**sections), CARD, SHIPPED, SHAPE, lit)


def test_the_smallest_batch_that_has_time_to_spare_is_taken() -> None:
    found = planned(100, 50)
    assert found.batch_frames == 4
    assert found.headroom == pytest.approx(4 / 0.05 / 50)
    assert found.latency_ms == pytest.approx(50 + 50)  # three more frames would take 60 ms: the deadline comes first
    assert "batch_frames = 4" in found.advice[0]
    assert planned(100, 50, policy={"batch_frames": 4}).advice == ()


def test_one_frame_at_a_time_waits_for_nobody() -> None:
    found = planned(1000, 20)
    assert (found.batch_frames, found.latency_ms) == (1, pytest.approx(11))


def test_what_would_help_is_named_when_it_is_too_slow() -> None:
    found = planned(50, 100, network_share=0.5, refine={"mode": "all"})
    assert found.batch_frames == 32
    assert found.headroom < 1
    fits, lighter, smaller, gpu, spill = found.advice
    assert "fits take 50 % of the time" in fits
    assert "1.0 times" in fits
    assert "2d-fast" in lighter or "localizer-2d" in lighter
    rows = int(smaller.split(": ")[1].split()[0])
    assert rows * SPARE / 256 <= found.headroom < (rows + 8) * SPARE / 256
    assert "livesmlm engines" in gpu
    assert "spilled" in spill


def test_active_tiles_are_named_where_little_of_the_field_shines() -> None:
    found = planned(50, 100, lit=0.25)
    assert '[engine] tiles = "active" computes 25 % of it (about 2.0 times the camera' in found.advice[0]
    assert not any("tiles" in line for line in planned(50, 100, lit=0.9).advice)
    assert not any("tiles" in line for line in planned(50, 100, lit=0.2, engine={"tiles": "active"}).advice)


def test_a_lighter_network_is_promised_no_more_than_its_share() -> None:
    whole, half = (planned(50, 100, network_share=share) for share in (1.0, 0.5))
    times = [float(p.advice[0].split("about ")[1].split()[0]) for p in (whole, half)]
    assert times[0] > 2 * times[1]


def test_frames_that_will_be_skipped_are_foretold() -> None:
    found = planned(50, 100, policy={"overload": "live"})
    assert "about 51 % of the frames will be skipped" in found.advice[-1]


def test_an_unknown_camera_gets_the_fastest_batch_and_no_advice() -> None:
    found = planned(50, nan)
    assert isnan(found.headroom)
    assert found.batch_frames == 32
    assert found.latency_ms == pytest.approx(50 + 650)
    assert found.advice == ()


def test_the_lightest_network_cannot_be_made_lighter() -> None:
    lightest = min((card for card in SHIPPED.values() if card.columns == CARD.columns), key=lambda c: c.mac_per_pixel)
    seconds = {size: size / 50 for size in BATCHES}
    found = plan(seconds, seconds[32], 100, rig(), replace(lightest), SHIPPED, SHAPE)
    assert not any("lighter" in line for line in found.advice)
