"""Every frame that was received is somewhere, and the ledger says where."""

import json
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.books.ledger import BACKWARDS, COUNTER_GAP, OVERLOAD, REPEATED, Ledger
from stream.books.ranges import Ranges
from stream.errors import InputError, StorageFault


def received(*indices: int, verifiable: bool = True) -> Ledger:
    ledger = Ledger(verifiable)
    for index in indices:
        ledger.receive(index)
    return ledger


def test_a_gap_in_the_cameras_counter_is_missing():
    ledger = received(3, 4, 8, 9)
    assert ledger.received.to_list() == [(3, 4), (8, 9)]
    assert ledger.missing[COUNTER_GAP].to_list() == [(5, 7)]


def test_without_a_counter_a_gap_means_nothing():
    assert received(0, 5, verifiable=False).missing == {}


def test_repeated_and_backwards_indices_are_refused_and_counted():
    ledger = received(0, 1, 2)
    assert [ledger.receive(index) for index in (2, 2, 0, 3)] == [False, False, False, True]
    assert ledger.refused == {REPEATED: 2, BACKWARDS: 1}
    assert ledger.received.to_list() == [(0, 3)]


def test_lag_is_received_less_analysed_less_skipped():
    ledger = received(*range(10))
    ledger.ringed.add(0, 9)
    ledger.analyse(range(4))
    ledger.skip(4, 5, "because")
    assert ledger.summary()["lag"] == 4
    assert ledger.waiting().to_list() == [(6, 9)]
    assert ledger.check() == []


def test_spooled_frames_wait_until_they_are_ringed():
    ledger = received(*range(6))
    ledger.ringed.add(0, 1)
    ledger.spilled.add(2, 5)
    ledger.ringed.add(2, 3)
    assert ledger.summary()["waiting_in_spool"] == 2


def test_a_frame_that_is_nowhere_is_named():
    ledger = received(0, 1, 2)
    ledger.ringed.add(0)
    ledger.spilled.add(2)
    assert ledger.unaccounted().to_list() == [(1, 1)]
    assert ledger.check() == ["1 frames are received but nowhere: [(1, 1)]"]


def test_contradictions_are_named():
    ledger = received(0, 1, 4)
    ledger.ringed.add(0, 4)
    ledger.analyse([0])
    ledger.skip(0, 0, "because")
    ledger.written.add(1)
    ledger.missing[COUNTER_GAP].add(4)
    assert len(ledger.check()) == 3


@given(st.sets(st.integers(0, 60), min_size=1), st.sets(st.integers(0, 60)), st.integers(1, 12))
def test_overtaken_frames_are_found_however_the_news_arrives(arrived, passed_over, size):
    """Frames, and the news of them, come in pieces that do not match; in the end all is explained."""
    ledger, order = Ledger(verifiable=False), sorted(arrived)
    analysed = [index for index in order if index not in passed_over or index == order[-1]]
    arrivals, taken = iter(order), iter(analysed)
    while piece := list(islice(arrivals, size)):
        ledger.analyse(islice(taken, 3))
        ledger.skip_overtaken()
        ledger.merge(received(*piece, verifiable=False))
        ledger.ringed.add_indices(piece)
    ledger.analyse(taken)
    ledger.skip_overtaken()
    assert ledger.summary()["lag"] == 0
    assert ledger.all_skipped() == ledger.received.difference(ledger.analysed)
    assert set(ledger.skipped) <= {OVERLOAD}
    assert ledger.check() == []


def test_news_is_merged_and_refusals_add_up():
    ledger, news = received(0, 1, 1), received(2, 2)
    ledger.merge(news)
    assert ledger.received.to_list() == [(0, 2)]
    assert ledger.refused == {REPEATED: 2}
    assert ledger.newest == 2


def test_what_is_suspicious_is_kept_and_neither_missing_nor_a_contradiction():
    ledger, news = received(0, 1, 2), received(3)
    ledger.ringed.add(0, 3)
    ledger.note("suspicious", {"late": Ranges([(1, 1)])})
    news.note("suspicious", {"late": Ranges([(3, 3)])})
    ledger.merge(news)
    assert ledger.suspicious["late"].to_list() == [(1, 1), (3, 3)]
    assert ledger.summary()["suspicious"] == {"late": 2}
    assert ledger.missing == {}
    assert ledger.check() == []


def test_read_gives_back_what_was_written(tmp_path):
    ledger = received(0, 1, 5, 5)
    ledger.analyse([0, 1])
    ledger.skip(5, 5, OVERLOAD)
    ledger.note("suspicious", {"late": Ranges([(1, 1)])})
    ledger.write(tmp_path / "ledger.json", "finished")
    again = Ledger.read(tmp_path / "ledger.json")
    assert vars(again) == vars(ledger)
    document = json.loads((tmp_path / "ledger.json").read_text())
    assert document["totals"]["lag"] == 0
    assert document["ended"] == "finished"
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.json"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"version": 99}', "\xff"])
def test_a_file_that_is_no_ledger_is_refused(tmp_path, content):
    (tmp_path / "ledger.json").write_text(content)
    with pytest.raises(InputError, match="cannot be read as a ledger"):
        Ledger.read(tmp_path / "ledger.json")


def test_a_folder_that_is_gone_is_a_storage_fault(tmp_path):
    with pytest.raises(StorageFault, match="could not be written"):
        Ledger(True).write(tmp_path / "gone" / "ledger.json")
