"""What the tags of frames tell: their index, what is missing, what is suspicious."""

import pytest

from stream.books.ranges import Ranges
from stream.errors import FrameFormatError
from stream.sources.micro_manager.numbering import BUFFER_GAP, RESTARTED, Intervals, Numbering


class Books:
    """Numbers frames like a source, and keeps what it notes."""

    def __init__(self, counter_tag: str | None = None) -> None:
        self.missing: dict[str, Ranges] = {}
        self.suspicious: dict[str, Ranges] = {}
        self._numbering = Numbering(counter_tag, self.missing, self.suspicious)
        self._tag = counter_tag or "ImageNumber"

    def indices(self, *numbers: object) -> list[int]:
        return [self._numbering.index({self._tag: number}) for number in numbers]


def test_gaps_in_the_buffers_numbers_are_missing_from_the_first_on():
    books = Books()
    assert books.indices("2", "3", 6) == [2, 3, 6]
    assert books.missing[BUFFER_GAP].to_list() == [(0, 1), (4, 5)]
    assert not books.suspicious


def test_numbers_that_begin_anew_go_on_and_are_suspicious():
    books = Books()
    assert books.indices(0, 1, 2, 0, 1) == [0, 1, 2, 3, 4]
    assert books.suspicious[RESTARTED].to_list() == [(3, 3)]
    assert not books.missing


def test_the_cameras_own_counter_begins_anywhere_and_its_gaps_are_left_to_the_ledger():
    books = Books("FrameNumber")
    assert books.indices(1001, 1002, "1005.0", 1005, 3, 4) == [0, 1, 4, 4, 5, 6]
    assert books.suspicious[RESTARTED].to_list() == [(5, 5)]
    assert not books.missing


def test_a_number_that_is_none_is_named():
    with pytest.raises(FrameFormatError, match="ImageNumber = 'seven'"):
        Books().indices("seven")


def suspicious(times_ms: list[float], factor: float = 1.5) -> list[tuple[int, int]]:
    """Return the indices of frames that came suspiciously late."""
    found: dict[str, Ranges] = {}
    intervals = Intervals(factor, found)
    for index, time_ms in enumerate(times_ms):
        assert intervals.time_s(index, {"ElapsedTime-ms": str(time_ms)}) == time_ms / 1000
    return [pair for ranges in found.values() for pair in ranges]


def test_a_steady_camera_is_not_suspected():
    assert suspicious([10 * n + 0.01 * (n % 3) for n in range(200)]) == []


def test_a_frame_that_was_lost_is_seen_in_the_interval():
    assert suspicious([10.0 * n for n in range(200) if n not in (100, 150, 151)]) == [(100, 100), (149, 149)]


def test_a_frame_that_was_only_noted_late_is_not():
    assert suspicious([10.0 * n + (8 if n == 100 else 0) for n in range(200)]) == []


def test_where_all_intervals_scatter_one_more_says_nothing():
    times_ms = [0.0]
    for n in range(200):
        times_ms.append(times_ms[-1] + (6, 10, 14)[n % 3] + (10 if n == 100 else 0))
    assert suspicious(times_ms) == []


def test_without_times_nothing_is_judged():
    found: dict[str, Ranges] = {}
    time_s = Intervals(1.5, found).time_s(0, {"ImageNumber": "0"})
    assert time_s != time_s
    assert not found
