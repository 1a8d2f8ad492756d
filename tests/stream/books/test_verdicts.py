"""Verdicts follow each other without gap, whatever their words say, and are logged as they begin."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.guard.verdict import Finding, Verdict, verdict
from stream.books.verdicts import Verdicts

GAIN = "gain is {} times what the rig says"


def gain(word, times):
    return Finding("gain", word, GAIN.format(times), "livesmlm calibrate-camera")


def test_periods_join_and_numbers_alone_begin_none(tmp_path):
    books = Verdicts(tmp_path)
    assert (books.newest, books.summary()) == (None, [])
    for frame, findings in ((100, []), (200, []), (300, [gain("drifting", 0.9)]), (350, [gain("drifting", 0.85)])):
        books.hear(verdict(findings, frame, 10 * frame))
    books.hear(verdict([gain("outside", 0.7)], 400, 4000))
    books.reach(449)
    told = books.summary()
    assert [(one["word"], one["first_frame"], one["last_frame"]) for one in told] == [
        ("inside", 100, 299), ("drifting", 300, 399), ("outside", 400, 449),
    ]  # fmt: skip
    assert told[0]["findings"] == []
    assert (told[1]["cause"], told[1]["remedy"], told[1]["molecules"]) == (
        GAIN.format(0.85), "livesmlm calibrate-camera", 3500,
    )  # fmt: skip
    assert told[2]["findings"][0]["name"] == "gain"
    lines = [json.loads(line) for line in (tmp_path / "guard.jsonl").read_text().splitlines()]
    assert [(line["first_frame"], line["verdict"], line["cause"]) for line in lines] == [
        (100, "inside", ""), (300, "drifting", GAIN.format(0.9)), (400, "outside", GAIN.format(0.7)),
    ]  # fmt: skip


@given(st.lists(st.sampled_from(["inside", "drifting", "outside"]), min_size=1, max_size=20))
def test_every_frame_from_the_first_verdict_on_has_one(tmp_path_factory, words):
    books = Verdicts(tmp_path_factory.mktemp("run"))
    for number, word in enumerate(words):
        books.hear(Verdict(word, 10 * number + 9, number, () if word == "inside" else (gain(word, 2),)))
    books.reach(10 * len(words) + 5)
    told = books.summary()
    assert (told[0]["first_frame"], told[-1]["last_frame"]) == (9, 10 * len(words) + 5)
    assert all(a["last_frame"] + 1 == b["first_frame"] for a, b in pairwise(told))
    assert all(a["word"] != b["word"] for a, b in pairwise(told))
