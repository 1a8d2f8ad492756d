"""The guard's stage: channels get frames with all of their rows, and rows located while it says outside are flagged."""

import numpy as np
import pytest

from models.guard.molecules.mean_residual import MeanResidual
from models.guard.verdict import Finding
from models.localizations import OUTSIDE, Localizations
from stream.frame import Batch
from stream.stages.guard import KEPT_FRAMES, TOLD_EVERY, GuardWatch
from stream.stages.stage import Located

SIDE = 8


class Late:
    """A stage that answers for all frames but the newest; in frame k lie k % 3 localizations."""

    look_ahead_frames = 1

    def __init__(self) -> None:
        self._waiting: list[int] = []

    def process(self, batch: Batch) -> Located:
        self._waiting += batch.index.tolist()
        ready, self._waiting = self._waiting[:-1], self._waiting[-1:]
        return _located(ready)

    def flush(self) -> Located:
        ready, self._waiting = self._waiting, []
        return _located(ready)


def _located(index: list[int]) -> Located:
    frame = np.repeat(index, [k % 3 for k in index]).astype(np.int64)
    table = Localizations({"frame": frame, "x_nm": 100.0 * frame, "y_nm": 0.0 * frame})
    return Located(table, np.array(index, np.int64), np.zeros(len(index)))


class Notes:
    """A channel that keeps what it was shown, and finds what it is told to find."""

    def __init__(self) -> None:
        self.seen: list[tuple[list[int], list[int]]] = []
        self.finds: list[Finding] = []

    def take(self, pixels: np.ndarray, index: np.ndarray, table: Localizations) -> None:
        assert (pixels == index[:, None, None]).all(), "pixels and numbers belong together"
        self.seen.append((index.tolist(), np.asarray(table["frame"]).tolist()))

    def findings(self) -> list[Finding]:
        return self.finds


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def watch(notes: Notes) -> GuardWatch:
    return GuardWatch(Late(), [notes], None)


def batch(*index: int) -> Batch:
    frames, none = np.array(index, np.int64), np.full(len(index), np.nan)
    pixels = np.broadcast_to(frames.astype(np.uint16)[:, None, None], (len(index), SIDE, SIDE)).copy()
    return Batch(pixels, frames, none, none, np.zeros(len(index)))


def rows(*index: int) -> list[int]:
    return [k for k in index for _ in range(k % 3)]


def test_a_channel_gets_the_first_frames_of_each_batch_with_all_rows_in_them(watch: GuardWatch, notes: Notes) -> None:
    for first in (0, 8, 16):
        watch.process(batch(*range(first, first + 8)))
    watch.flush()
    assert [index for index, _ in notes.seen] == [[*range(k, k + KEPT_FRAMES)] for k in (0, 8, 16)]
    assert [found for _, found in notes.seen] == [rows(*range(k, k + KEPT_FRAMES)) for k in (0, 8, 16)]


def test_frames_that_wait_for_their_answer_are_shown_with_it(watch: GuardWatch, notes: Notes) -> None:
    watch.process(batch(0))
    assert notes.seen == []
    watch.process(batch(1))
    watch.process(batch(2))
    watch.flush()
    assert notes.seen == [([0], []), ([1], [1]), ([2], [2, 2])]


def test_frames_on_both_sides_of_a_gap_are_not_taken_for_neighbours(watch: GuardWatch, notes: Notes) -> None:
    watch.process(batch(0, 1, 5, 6))
    watch.flush()
    assert notes.seen[0][0] == [0, 1]


def test_rows_carry_the_flag_as_long_as_the_verdict_is_outside(watch: GuardWatch, notes: Notes) -> None:
    inside = watch.process(batch(*range(8)))
    notes.finds = [Finding("gain", "outside", "gain is wrong", "calibrate")]
    outside = watch.process(batch(*range(8, 16)))
    notes.finds = [Finding("gain", "drifting", "gain is a little off", "calibrate")]
    drifting = watch.process(batch(*range(16, 24)))
    flags = [np.asarray(located.table["flags"]) & OUTSIDE for located in (inside, outside, drifting)]
    assert [bool(flag.all()) for flag in flags] == [False, True, False]
    assert not flags[0].any()


def test_flags_of_stages_before_stay(notes: Notes) -> None:
    class Refined(Late):
        def process(self, batch: Batch) -> Located:
            located = super().process(batch)
            table = Localizations({n: located.table[n] for n in located.table} | {"flags": np.ones(len(located.table))})
            return Located(table, located.index, located.host_time_s)

    watch = GuardWatch(Refined(), [notes], None)
    notes.finds = [Finding("gain", "outside", "gain is wrong", "calibrate")]
    assert set(np.asarray(watch.process(batch(*range(8))).table["flags"])) == {1 | OUTSIDE}


def test_a_verdict_is_told_when_it_changes_and_now_and_then(watch: GuardWatch, notes: Notes) -> None:
    told = []
    for first in range(0, 2 * TOLD_EVERY, 10):
        if first == 100:
            notes.finds = [Finding("gain", "outside", "gain is wrong", "calibrate")]
        verdict = watch.process(batch(*range(first, first + 10))).guard
        told += [] if verdict is None else [(verdict.word, verdict.frame)]
    assert [word for word, _ in told] == ["inside", "outside", "outside"]
    assert told[1][1] == 108


class Looks:
    """Stands for the molecules: it has a picture from some frame on."""

    molecules = 0
    picture: MeanResidual | None = None

    def pass_by(self, frames: int) -> None:
        """Not asked here."""

    def settle(self) -> None:
        """Not asked here."""

    def mean_residual(self) -> MeanResidual | None:
        return self.picture


def test_the_mean_residual_comes_with_a_verdict_and_at_the_end(notes: Notes) -> None:
    looks = Looks()
    watch = GuardWatch(Late(), [notes], looks)
    assert watch.process(batch(*range(8))).residual is None, "nothing was looked at"
    looks.picture = MeanResidual(np.zeros((4, 1, 3, 3), np.float32), (0.0,), (50.0,), 100.0)
    assert watch.process(batch(*range(8, 16))).residual is None, "the verdict is the same"
    notes.finds = [Finding("gain", "outside", "gain is wrong", "calibrate")]
    assert watch.process(batch(*range(16, 24))).residual is looks.picture
    assert watch.flush().residual is looks.picture
