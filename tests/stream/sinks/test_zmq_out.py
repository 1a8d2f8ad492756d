"""What is published, seen with plain ZeroMQ sockets as any other program would."""

import json
import zlib
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pytest
import zmq
from pydantic import ValidationError

from models.optics.slices import PsfSlices
from stream.errors import AddressError
from stream.frame import Frame
from stream.links.arrow import from_ipc
from stream.picture.render import Renderer, RenderSettings
from stream.sinks import zmq_out
from stream.sinks.zmq_out import PublishSettings, ZmqOut
from tests.contracts_sink import SinkContract, assert_same, localizations, run_in

ANYWHERE = PublishSettings(address="tcp://127.0.0.1:*")
TIMEOUT_S = 20.0


class TestZmqOut(SinkContract):
    def make(self):
        return ZmqOut(ANYWHERE)


class Clock:
    """Seconds that pass only when they are told to, or by `step_s` with every look."""

    def __init__(self, step_s: float = 0.0) -> None:
        self.now_s, self.step_s = 100.0, step_s

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


class Listener:
    """A subscriber and requester of plain ZeroMQ, and the publisher that it follows."""

    def __init__(self, publisher: ZmqOut, live: zmq.Socket, requests: zmq.Socket, topics: tuple[str, ...]) -> None:
        self.publisher, self.live, self.requests = publisher, live, requests
        self.live.connect(publisher.address)
        self.requests.connect(publisher.snapshot_address)
        for topic in topics:
            self.live.subscribe(topic)
        self.live.subscribe("ready/me")
        assert self.ask(b"ready", b"me") == [b"ready", b"me"]

    def ask(self, *request: bytes) -> list[bytes]:
        self.requests.send_multipart(request)
        for _ in range(int(TIMEOUT_S / 0.02)):
            self.publisher.serve(wait_s=0.01)
            if self.requests.poll(10):
                return self.requests.recv_multipart()
        pytest.fail("no answer")

    def next(self) -> tuple[str, dict, bytes]:
        assert self.live.poll(int(1000 * TIMEOUT_S)), "nothing was published"
        topic, raw, payload = self.live.recv_multipart()
        header = json.loads(raw)
        assert 0 <= header.pop("run_s") < TIMEOUT_S
        return topic.decode(), header, payload


@pytest.fixture
def listen():
    """Return a function that makes a listener to a publisher; all of them are closed after the test."""
    with ExitStack() as stack:
        context = stack.enter_context(zmq.Context())

        def make(publisher: ZmqOut, *topics: str) -> Listener:
            live, requests = (stack.enter_context(context.socket(kind)) for kind in (zmq.SUB, zmq.DEALER))
            live.linger = requests.linger = 0
            return Listener(publisher, live, requests, topics or ("",))

        yield make


@pytest.fixture
def publisher(tmp_path):
    publisher = ZmqOut(ANYWHERE)
    publisher.open(run_in(tmp_path))
    yield publisher
    publisher.close()


def small_renderer() -> Renderer:
    return Renderer(6400, 4800, RenderSettings(pixel_nm=10, tile_px=64, max_sigma_nm=90))


def test_every_topic_as_documented(publisher, listen):
    listener = listen(publisher)
    table, waves = localizations(3, 5), np.linspace(-1, 1, 27, dtype=np.float32)
    publisher.write(table, 3, 5)
    publisher.skipped(6, 9, "too slow")
    publisher.preview(Frame(np.arange(6, dtype=np.uint16).reshape(2, 3), 7, host_time_s=1.5))
    publisher.found(7, np.array([[1.5, 2.5]], np.float32))
    publisher.sum(np.array([[3e6, 4e6]], np.float32), 900)
    publisher.background(np.full((1, 2), 3.5, np.float32), 400.0, 7)
    publisher.phase(waves, {"psf_epoch": 1, "sigma": 0.01, "source": "beads", "rms_error_waves": 0.02})
    publisher.psf(PsfSlices(np.ones((3, 1, 2), np.float32), (-500.0, 0.0, 500.0), 40.0), epoch=2)
    publisher.guard({"score": 0.5, "reason": "fine"})
    publisher.drift({"drift_nm": [[0, 1, 2]]})
    publisher.health({"rate": float("nan"), "ledger": {"received": [[0, 9]]}})
    publisher.action({"kind": "change", "new": 2.5, "read_back": None})
    publisher.end({"totals": {"received": 10}})
    base = {"version": 1, "run_id": "run-1", "sequence": 0}

    topic, header, payload = listener.next()
    assert (topic, header) == ("table", base | {"first": 3, "last": 5})
    assert_same(from_ipc(payload), table)
    assert listener.next() == ("table", base | {"sequence": 1, "first": 6, "last": 9, "skipped": "too slow"}, b"")
    topic, header, payload = listener.next()
    assert (topic, header["index"], header["shape"], header["camera_time_s"]) == ("frame", 7, [2, 3], None)
    assert np.frombuffer(payload, "<u2").tolist() == [0, 1, 2, 3, 4, 5]
    topic, header, payload = listener.next()
    assert (topic, header["index"], header["shape"]) == ("found", 7, [1, 2])
    assert np.frombuffer(payload, "<f4").tolist() == [1.5, 2.5]
    topic, header, payload = listener.next()
    assert (topic, header["frames"], header["shape"]) == ("sum", 900, [1, 2])
    assert np.frombuffer(payload, "<f4").tolist() == [3e6, 4e6]
    topic, header, payload = listener.next()
    assert (topic, header["shape"], header["pixel_nm"], header["frame"]) == ("background", [1, 2], 400.0, 7)
    assert np.frombuffer(payload, "<f4").tolist() == [3.5, 3.5]
    topic, header, payload = listener.next()
    assert (topic, header["psf_epoch"], len(payload)) == ("phase", 1, 27 * 4)
    topic, header, payload = listener.next()
    expected = {"shape": [3, 1, 2], "psf_epoch": 2, "z_nm": [-500.0, 0.0, 500.0], "pixel_nm": 40.0}
    assert (topic, header, np.frombuffer(payload, "<f4").tolist()) == ("psf", base | expected, [1.0] * 6)
    assert listener.next() == ("guard", base | {"score": 0.5, "reason": "fine"}, b"")
    assert listener.next() == ("drift", base | {"drift_nm": [[0, 1, 2]]}, b"")
    assert listener.next() == ("health", base | {"rate": None, "ledger": {"received": [[0, 9]]}}, b"")
    assert listener.next() == ("action", base | {"kind": "change", "new": 2.5, "read_back": None}, b"")
    assert listener.next() == ("end", base | {"totals": {"received": 10}}, b"")


def test_start_tells_of_the_run_and_waits_in_the_snapshot(publisher, listen):
    kind, raw, *messages = listen(publisher).ask(b"snapshot", b"start health")
    header = json.loads(raw)
    assert (kind, header["version"], header["run_id"]) == (b"snapshot", 1, "run-1")
    assert (header["next"]["start"], header["next"]["health"]) == (1, 0)
    assert messages[0] == b"start"
    start = json.loads(messages[1])
    assert (start["pixel_size_nm"], start["card"], start["stream"]["width_px"]) == (100.0, {"name": "model-1"}, 64)
    assert len(messages) == 3


def test_who_comes_late_gets_the_psf_of_the_start_and_the_newest(publisher, listen):
    for epoch in (0, 1, 2):
        publisher.psf(PsfSlices(np.ones((3, 1, 1), np.float32), (-500.0, 0.0, 500.0), 40.0), epoch)
    _, _, *messages = listen(publisher).ask(b"snapshot", b"psf")
    assert [json.loads(header)["psf_epoch"] for header in messages[1::3]] == [0, 2]


def test_tiles_are_packed_as_documented(publisher, listen):
    listener, renderer = listen(publisher, "tile"), small_renderer()
    renderer.add(localizations(0, 0, per_frame=1))
    publisher.follow(renderer.changed)
    publisher.end({})
    levels = []
    while len(levels) < len(renderer.pyramid.levels):
        _, header, payload = listener.next()
        level = renderer.pyramid.levels[header["level"]]
        values = np.frombuffer(zlib.decompress(payload), "<f4").reshape(header["shape"])
        np.testing.assert_array_equal(values, level.values[header["row"], header["column"]])
        assert header["pixel_nm"] == level.pixel_nm
        levels.append(header["level"])
    assert levels == sorted(levels, reverse=True)


def published(publisher: ZmqOut, topic: str) -> int:
    """Return how many messages of a topic a newcomer would find."""
    return sum(key[0] == topic for key in publisher._latest)


def test_a_layer_is_published_whole_to_who_asks_and_to_nobody_else(publisher, listen):
    renderer = small_renderer()
    renderer.add(localizations(0, 0, per_frame=5))
    publisher.follow(renderer.changed, renderer.layers)
    for _ in range(3):
        publisher.serve()
    assert published(publisher, "layer.time") == 0
    listener = listen(publisher, "layer.time")
    publisher.end({})
    levels = len(renderer.pyramid.levels)
    for _ in range(levels):
        topic, header, payload = listener.next()
        values = np.frombuffer(zlib.decompress(payload), "<f4").reshape(header["shape"])
        assert (topic, header["layer"], header["shape"], values.max()) == ("layer.time", "time", [32, 32], 0)
    assert published(publisher, "layer.time") >= levels
    assert published(publisher, "layer.photons") == 0
    listener.live.unsubscribe("layer.time")
    while published(publisher, "layer.time"):
        publisher.serve(wait_s=0.02)
    again = listen(publisher, "layer.time")
    while not published(publisher, "layer.time"):  # the first one's "ready" answers for both
        publisher.serve(wait_s=0.02)
    assert again.next()[1]["layer"] == "time"


def test_tiles_go_out_at_most_once_per_period(tmp_path, listen):
    clock = Clock()
    publisher, renderer = ZmqOut(ANYWHERE, clock), small_renderer()
    publisher.open(run_in(tmp_path))
    listener = listen(publisher, "tile")
    publisher.follow(renderer.changed)
    clock.now_s += 1
    for _ in range(3):
        renderer.add(localizations(0, 0, per_frame=1))
        publisher.serve()
    clock.now_s += zmq_out.TILE_PERIOD_S
    publisher.serve()
    finest = len(renderer.pyramid.levels)
    sent = [listener.next()[1] for _ in range(2 * finest)]
    assert [header["sequence"] for header in sent] == list(range(2 * finest))
    assert json.loads(listener.ask(b"snapshot", b"tile")[1])["next"]["tile"] == 2 * finest
    publisher.close()


def test_a_large_sweep_is_spread_over_many_calls(tmp_path, listen):
    publisher, renderer = ZmqOut(ANYWHERE, Clock(step_s=zmq_out.TILE_BUDGET_S)), small_renderer()
    publisher.open(run_in(tmp_path))
    renderer.add(localizations(0, 0, per_frame=200))
    publisher.follow(renderer.changed)
    publisher.serve()
    listener = listen(publisher)
    before = json.loads(listener.ask(b"snapshot", b"tile")[1])["next"]["tile"]
    publisher.serve()
    after = json.loads(listener.ask(b"snapshot", b"tile")[1])["next"]["tile"]
    assert 0 < before < after < sum(level.changed.size for level in renderer.pyramid.levels)
    publisher.close()


def test_waits_for_the_subscribers_it_expects(publisher, listen):
    assert publisher.wait_ready(0, 0)
    first = listen(publisher)
    assert publisher.wait_ready(1, 0)
    assert not publisher.wait_ready(2, 0)
    first.live.close()
    for _ in range(int(TIMEOUT_S / 0.01)):
        publisher.serve(wait_s=0.01)
        if not publisher.wait_ready(1, 0):
            return
    pytest.fail("a subscriber that left still counts")


def test_a_run_without_the_expected_subscribers_does_not_start(tmp_path):
    publisher = ZmqOut(ANYWHERE.model_copy(update={"subscribers": 2}), Clock(step_s=10))
    with pytest.raises(AddressError, match=r"0 subscribers came[\s\S]*subscribers = 2"):
        publisher.open(run_in(tmp_path))


def test_a_port_in_use_is_named(publisher, tmp_path):
    second = ZmqOut(PublishSettings(address=publisher.address))
    with pytest.raises(AddressError) as caught:
        second.open(run_in(tmp_path))
    assert publisher.address in caught.value.what
    assert "stop the program" in caught.value.remedy


def test_an_unknown_request_is_answered(publisher, listen):
    listener = listen(publisher)
    assert listener.ask(b"tea") == [b"error", b"requests are: ready, snapshot, action"]
    assert listener.ask(b"")[0] == b"error"


def test_a_subscriber_that_never_reads_does_not_stop_the_run(publisher, listen):
    listener = listen(publisher)
    frame = Frame(np.zeros((512, 512), np.uint16), 0)
    for index in range(zmq_out.QUEUED_MESSAGES // 4):
        publisher.preview(replace(frame, index=index))
    for _ in range(4 * zmq_out.QUEUED_MESSAGES):
        publisher.health({})
    assert listener.next()[1]["index"] == 0


@pytest.mark.parametrize("fields", [{"address": "tcp://*:5557"}, {"snapshot_address": "tcp://192.168.0.2:5558"}])
def test_other_computers_need_a_certificate(fields, tmp_path):
    with pytest.raises(ValidationError, match=r"127\.0\.0\.1"):
        PublishSettings(**fields)
    PublishSettings(**fields, certificate=tmp_path / "run.key_secret")


@pytest.mark.parametrize("fields", [{"address": "5557"}, {"port": 5557}, {"subscribers": -1}])
def test_settings_that_cannot_be_used_are_refused(fields):
    with pytest.raises(ValidationError):
        PublishSettings(**fields)


def test_snapshots_are_one_port_above():
    assert ZmqOut(PublishSettings()).snapshot_address == "tcp://127.0.0.1:5558"
