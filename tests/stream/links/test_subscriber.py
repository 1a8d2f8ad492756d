"""Following a run: what was before comes first, then what is live, and what was lost is counted."""

import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest
import zmq.auth

import stream
from models.localizations import Localizations
from stream.errors import AddressError, InputError, SourceFault
from stream.frame import Frame
from stream.links.messages import TOPICS
from stream.links.subscriber import Subscription, subscribe
from stream.picture.render import Renderer, RenderSettings
from stream.picture.tiles import Tile
from stream.sinks import zmq_out
from stream.sinks.zmq_out import PublishSettings, ZmqOut
from tests.contracts_sink import assert_same, localizations, run_in

ROOT = Path(__file__).parents[3]
ANYWHERE = PublishSettings(address="tcp://127.0.0.1:*")
TIMEOUT_S = 20.0


@contextmanager
def published(folder: Path, settings: PublishSettings = ANYWHERE, run_id: str = "run-1") -> Iterator[ZmqOut]:
    publisher = ZmqOut(settings)
    publisher.open(replace(run_in(folder), run_id=run_id))
    try:
        yield publisher
    finally:
        publisher.close()


def joined(publisher: ZmqOut, topics=TOPICS, timeout_s=TIMEOUT_S, certificate=None) -> Subscription:
    """Subscribe from another thread while this one serves the publisher."""
    addresses = publisher.address, publisher.snapshot_address
    with ThreadPoolExecutor(1) as thread:
        subscription = thread.submit(subscribe, *addresses, topics, timeout_s, certificate)
        while not subscription.done():
            publisher.serve(wait_s=0.01)
        return subscription.result()


def test_a_run_from_start_to_end(tmp_path):
    table, pixels = localizations(0, 9), np.arange(12, dtype=np.uint16).reshape(3, 4)
    with published(tmp_path) as publisher, joined(publisher) as subscription:
        publisher.write(table, 0, 9)
        publisher.preview(Frame(pixels, 9))
        publisher.skipped(10, 12, "too slow")
        publisher.end({"ledger": {"received": 13}})
        start, written, preview, skipped, end = subscription
    assert (start.topic, start.header["card"]) == ("start", {"name": "model-1"})
    assert isinstance(written.payload, Localizations)
    assert_same(written.payload, table)
    np.testing.assert_array_equal(preview.payload, pixels)
    assert (skipped.header["first"], skipped.header["skipped"], skipped.payload) == (10, "too slow", None)
    assert (end.topic, end.header["ledger"]) == ("end", {"received": 13})
    assert subscription.lost == dict.fromkeys(TOPICS, 0)


def test_only_what_was_asked_for_comes_and_then_the_end(tmp_path):
    with published(tmp_path) as publisher, joined(publisher, ("table",)) as subscription:
        publisher.health({})
        publisher.write(localizations(0, 9), 0, 9)
        publisher.end({})
        assert [message.topic for message in subscription] == ["table", "end"]


def test_a_run_whose_topic_is_quiet_is_alive(tmp_path):
    with (
        published(tmp_path) as publisher,
        joined(publisher, ("table",), timeout_s=1.0) as subscription,
        ThreadPoolExecutor(1) as thread,
    ):
        topics = thread.submit(lambda: [message.topic for message in subscription])
        for _ in range(12):
            publisher.health({})
            publisher.serve(wait_s=0.25)
        publisher.end({})
        assert topics.result() == ["end"]


def test_who_comes_late_gets_the_whole_image(tmp_path):
    renderer = Renderer(6400, 4800, RenderSettings(pixel_nm=10, tile_px=64, max_sigma_nm=90))
    image = [np.zeros_like(level.values) for level in renderer.pyramid.levels]
    with published(tmp_path) as publisher:
        publisher.follow(renderer.changed)
        for first in range(0, 50, 10):
            renderer.add(localizations(first, first + 9))
            publisher.serve()
        with joined(publisher, ("tile", "end")) as subscription:
            renderer.add(localizations(50, 59))
            publisher.end({})
            for message in subscription:
                if isinstance(tile := message.payload, Tile):
                    image[tile.level][tile.row, tile.column] = tile.values
    for found, level in zip(image, renderer.pyramid.levels, strict=True):
        np.testing.assert_array_equal(found, level.values)
    assert image[0].sum() == pytest.approx(60 * 5, rel=1e-5)


def publish_without_pause(folder: Path, pipe: Connection) -> None:
    with published(folder) as publisher:
        pipe.send((publisher.address, publisher.snapshot_address))
        for number in count():
            publisher.serve(wait_s=0.001)
            publisher.health({"number": number})
            publisher.write(localizations(number, number), number, number)
            if pipe.poll():
                break
        publisher.end({})


def test_snapshot_and_live_join_without_gap_or_repetition(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    child = spawn.Process(target=publish_without_pause, args=(tmp_path, there))
    child.start()
    there.close()
    assert here.poll(60), "the publisher does not start"
    addresses = here.recv()
    for _ in range(10):
        with subscribe(*addresses, ("health", "table"), TIMEOUT_S) as subscription:
            messages = [subscription.receive(TIMEOUT_S) for _ in range(40)]
        for topic in ("health", "table"):
            sequence = [message.header["sequence"] for message in messages if message.topic == topic]
            assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))
        assert subscription.lost == {"health": 0, "table": 0, "end": 0}
    here.send("stop")
    child.join(60)
    here.close()
    assert child.exitcode == 0


def test_a_slow_subscriber_counts_what_it_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(zmq_out, "QUEUED_MESSAGES", 10)
    received = 0
    with published(tmp_path) as publisher, joined(publisher, ("guard",)) as subscription:
        for _ in range(20_000):
            publisher.guard({"reason": "x" * 4000})
        last = None
        while last is None:
            message = subscription.receive(0.05)
            if message is None:
                publisher.guard({"last": True})
                continue
            received += 1
            last = message if "last" in message.header else None
    assert subscription.lost["guard"] > 0
    assert received + subscription.lost["guard"] == last.header["sequence"] + 1


def test_a_new_run_at_the_same_address_is_counted_from_its_start(tmp_path):
    with published(tmp_path) as first:
        subscription = joined(first, ("health",))
        first.health({})
        assert subscription.receive(TIMEOUT_S).header["run_id"] == "run-1"
        settings = PublishSettings(address=first.address, snapshot_address=first.snapshot_address)
    with subscription, published(tmp_path, settings, run_id="run-2") as second:
        while (message := subscription.receive(0.01)) is None:
            second.health({})
            second.serve()
    assert message.header["run_id"] == "run-2"
    assert subscription.lost["health"] == message.header["sequence"]


def test_another_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(zmq_out, "VERSION", 2)
    with published(tmp_path) as publisher, pytest.raises(AddressError, match="version 2"):
        joined(publisher)


def test_nobody_publishes():
    with pytest.raises(AddressError, match=r"nobody publishes at tcp://127\.0\.0\.1:1[\s\S]*start the run"):
        subscribe("tcp://127.0.0.1:1", timeout_s=0.1)


def test_silence_is_a_fault(tmp_path):
    with published(tmp_path) as publisher, joined(publisher, ("health",), timeout_s=2.0) as subscription:
        assert subscription.receive(0) is None
        with pytest.raises(SourceFault, match="silent for 2 s"):
            next(iter(subscription))


def test_unknown_topics_are_refused():
    with pytest.raises(InputError, match="tables"):
        subscribe("tcp://127.0.0.1:1", topics=("tables", "end"))


def test_an_encrypted_run_needs_its_certificate(tmp_path):
    public, secret = (Path(name) for name in zmq.auth.create_certificates(tmp_path, "run"))
    with published(tmp_path, ANYWHERE.model_copy(update={"certificate": secret})) as publisher:
        with joined(publisher, certificate=public) as subscription:
            assert subscription.receive(TIMEOUT_S).topic == "start"
        with pytest.raises(AddressError, match="nobody publishes"):
            joined(publisher, timeout_s=0.3)


def test_the_client_is_at_the_top_and_loads_nothing_before_it_is_asked_for():
    assert stream.subscribe is subscribe
    with pytest.raises(AttributeError, match="nonsense"):
        stream.nonsense  # noqa: B018
    program = "import sys, stream; print(sorted({'numpy', 'zmq', 'pyarrow'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, text=True).strip() == "[]"
