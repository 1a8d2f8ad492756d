"""The stage: what it tells, that it is thin, and that a night does not fill the memory."""

import tracemalloc
from pathlib import Path

import numpy as np

from stream.drift.files import DriftFiles
from stream.drift.settings import DriftSettings
from stream.picture.render import Renderer, RenderSettings
from stream.stages.drift import KNOTS_TOLD, DriftWatch
from tests.stream.drift.samples import linear, table

SIDE_NM = 6000.0


def watch(folder: Path, told: list, **settings: object) -> DriftWatch:
    renderer = Renderer(SIDE_NM, SIDE_NM, RenderSettings(pixel_nm=20, tile_px=64))
    files = DriftFiles(folder, 100.0)
    return DriftWatch(DriftSettings(**settings), renderer, files, told.append, told.append)


def hear(stage: DriftWatch, drift: np.ndarray, first: int, end: int, step: int = 10) -> None:
    rows = table(drift, per_frame=10, structure="origami", side_nm=SIDE_NM)
    frame = np.asarray(rows["frame"])
    for begin in range(first, end, step):
        stage.hear(rows.where((frame >= begin) & (frame < begin + step)), begin, begin + step - 1)


def test_a_message_holds_the_whole_curve_in_so_many_knots(tmp_path):
    told: list = []
    stage = watch(tmp_path, told)
    for k in range(5 * KNOTS_TOLD + 3):
        stage.curve.add(100 * k, np.array([k, 0, -k]))
    message = stage.message()
    assert len(message["frames"]) == len(message["drift_nm"]) <= KNOTS_TOLD
    assert message["frames"][-1] == 100 * (5 * KNOTS_TOLD + 2)
    assert np.unique(np.diff(message["frames"])).tolist() == [600]
    assert message["blocks"] == 5 * KNOTS_TOLD + 3
    assert message["drift_nm"][-1] == [2502.0, 0.0, -2502.0]


def test_what_is_lost_is_told_once_and_again_after_it_was_found(tmp_path):
    told: list = []
    stage = watch(tmp_path, told, block_frames=50, min_localizations=100)
    drift = np.zeros((1600, 3))
    drift[400:, 0] = 3000
    drift[800:, 0] = 0
    drift[1200:, 0] = 3000
    hear(stage, drift, 0, 1600)
    words = [text for text in told if isinstance(text, str)]
    assert all(text.startswith("drift: no drift was found within 200 nm since frame ") for text in words)
    assert len(words) == 2
    assert stage.summary()["blocks_without_drift"] >= 8
    assert np.abs(stage.curve.drift_nm[:, 0]).max() < 20


def test_memory_stays_flat(tmp_path):
    stage, drift = watch(tmp_path, [], block_frames=20, min_localizations=50), linear(2400)
    told: list = []
    stage._publish = lambda message: told.__setitem__(slice(None), [message])
    hear(stage, drift, 0, 400)
    tracemalloc.start()
    try:
        hear(stage, drift, 400, 1400)
        half, _ = tracemalloc.get_traced_memory()
        hear(stage, drift, 1400, 2400)
        end, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(stage.curve) > 100
    assert end - half < 300_000
