"""All measures from one stream of tables: right numbers, plain scalars, and memory that does not grow."""

import json
import tracemalloc

import numpy as np
import pytest

from stream.quality import half_images
from stream.quality.settings import ResolutionSettings
from stream.quality.watch import Field, Rows, Watch
from tests.stream.quality.samples import blinking

SETTINGS = ResolutionSettings(mode="on", block_frames=100)
FIELD = Field(64, 64, 100.0)


def rows_of(frame: np.ndarray, place: np.ndarray, shift_nm: np.ndarray | float = 0.0) -> Rows:
    x, y = place.astype(np.float32).T
    return Rows(frame.astype(np.int64), x, y, (x - shift_nm).astype(np.float32), (y - shift_nm).astype(np.float32))


def sample(emitters: int = 3000, frames: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    return blinking(np.random.default_rng(0), 6400, emitters, frames, 10, 2, 10)


def test_resolution_precision_and_places() -> None:
    watch = Watch(FIELD, SETTINGS)
    frame, place = sample()
    for part in np.array_split(np.arange(len(frame)), 37):
        watch.take(rows_of(frame[part], place[part]))
    found = watch.estimate()
    assert found["nena_nm"] == pytest.approx(10, rel=0.1)
    # emitters that blink 5 times in each half, two frames each, on average: noise of blinks is that of (n^2) / (n)
    assert 2 * np.pi * 10 / np.sqrt(np.log(6 * 20)) < found["frc_nm"] < 2 * np.pi * 10 / np.sqrt(np.log(6 * 3))
    assert found["subpixel"]["flat"] is True
    assert (found["frame"], found["localizations"]) == (frame[-1], len(frame))
    assert "blocks of 100 frames" in found["frc_caveat"]
    assert "too optimistic" in found["frc_caveat"]
    curve = found["frc_curve"]
    assert len(curve["frequency_per_um"]) == len(curve["correlation"]) <= 200
    assert curve["frequency_per_um"][-1] == pytest.approx(100, rel=0.05)
    assert json.loads(json.dumps(found)) == found


def test_drift_makes_it_coarser_and_what_is_corrected_does_not() -> None:
    frame, place = sample()
    drift = 0.02 * frame
    still, moving, corrected = Watch(FIELD, SETTINGS), Watch(FIELD, SETTINGS), Watch(FIELD, SETTINGS)
    still.take(rows_of(frame, place))
    moved = place + drift[:, None]
    inside = (moved < 6400).all(axis=1)
    moving.take(rows_of(frame[inside], moved[inside]))
    corrected.take(rows_of(frame[inside], moved[inside], drift[inside]))
    at_rest, blurred, mended = (watch.estimate()["frc_nm"] for watch in (still, moving, corrected))
    assert blurred > 1.3 * at_rest
    assert mended == pytest.approx(at_rest, rel=0.05)


@pytest.mark.parametrize("rows", [0, 1, 400])
def test_too_few_localizations_give_no_numbers_and_say_why(rows: int) -> None:
    watch = Watch(FIELD, SETTINGS)
    rng = np.random.default_rng(0)
    watch.take(rows_of(np.sort(rng.integers(0, 1000, rows)), rng.uniform(0, 6400, (rows, 2))))
    found = watch.estimate()
    assert found["localizations"] == rows
    assert (found["frc_nm"], found["frc_curve"], found["nena_nm"]) == (None, None, None)
    assert "at least 500 are needed" in found["frc_caveat"]


def test_all_in_one_frame() -> None:
    watch = Watch(FIELD, SETTINGS)
    watch.take(rows_of(np.full(5000, 3), np.random.default_rng(0).uniform(0, 6400, (5000, 2))))
    found = watch.estimate()
    assert (found["frc_nm"], found["nena_nm"], found["subpixel"]["flat"]) == (None, None, True)


def test_what_has_nothing_in_common_has_no_resolution_and_that_is_said() -> None:
    watch = Watch(FIELD, SETTINGS)
    rng = np.random.default_rng(0)
    watch.take(rows_of(np.sort(rng.integers(0, 1000, 20_000)), rng.uniform(0, 6400, (20_000, 2))))
    found = watch.estimate()
    assert found["frc_nm"] is None
    assert "too little in common yet" in found["frc_caveat"]


def test_a_picture_of_large_pixels_says_so() -> None:
    watch = Watch(FIELD, ResolutionSettings(mode="on", block_frames=100, pixel_nm=25))
    watch.take(rows_of(*blinking(np.random.default_rng(0), 6400, 3000, 4000, 10, 2, 3)))
    found = watch.estimate()
    assert found["frc_nm"] is None
    assert "set a smaller [resolution] pixel_nm" in found["frc_caveat"]


def test_of_a_large_field_the_part_is_named() -> None:
    watch = Watch(Field(512, 512, 100.0), SETTINGS)
    frame, place = sample()
    watch.take(rows_of(frame, place + np.float32(20_000)))
    found = watch.estimate()
    assert found["frc_nm"] is not None
    assert "of the densest 10.2 x 10.2 um at x = " in found["frc_caveat"]


@pytest.mark.parametrize("side_px", [64, 2048])
def test_memory_does_not_grow_with_the_localizations(side_px: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_images, "SETTLE_ROWS", 50_000)
    watch, rng = Watch(Field(side_px, side_px, 100.0), SETTINGS), np.random.default_rng(0)

    def take(first_frame: int) -> None:
        frame = first_frame + np.sort(rng.integers(0, 100, 20_000))
        watch.take(rows_of(frame, rng.uniform(0, 100 * side_px, (20_000, 2))))

    tracemalloc.start()
    try:
        for k in range(5):
            take(100 * k)
        watch.estimate()
        settled = tracemalloc.get_traced_memory()[0]
        for k in range(5, 25):
            take(100 * k)
        assert tracemalloc.get_traced_memory()[0] < settled + 2e6
    finally:
        tracemalloc.stop()
