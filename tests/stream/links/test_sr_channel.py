"""The picture in somebody's acquisition: pycro-manager's own parts, a run that is really published."""

import json
import os
import subprocess
import sys
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import zmq
from pydantic import ValidationError

from models.localizations import Localizations
from stream.errors import InputError
from stream.frame import StreamInfo
from stream.links.acquisition_hook import AcquisitionHook
from stream.links.sr_channel import SRChannel
from stream.picture.render import Renderer, RenderSettings
from stream.sink import RunInfo
from stream.sinks.zmq_out import PublishSettings, ZmqOut
from stream.sources.zmq_in import ZmqInSettings, ZmqInSource

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "stream" / "micromanager-demo.cfg"
WAIT_S = 30.0
LOCALIZATIONS = 50


class Run:
    """A run that publishes a picture of 50 localizations at (3200, 1600) nm, and answers from a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.out = ZmqOut(PublishSettings(address="tcp://127.0.0.1:*"))
        self.out.open(RunInfo("run-1", StreamInfo(64, 64, 100), 100.0, {}, {}, folder, {}, "none", ()))
        renderer = Renderer(6400, 6400, RenderSettings())
        there = np.full(LOCALIZATIONS, 20.0)
        columns = {"frame": np.zeros(len(there)), "x_nm": there + 3180, "y_nm": there + 1580}
        renderer.add(Localizations({**columns, "sigma_x_nm": there, "sigma_y_nm": there}))
        self.out.follow(renderer.changed)
        self.out.health({"localizations": LOCALIZATIONS, "ledger": {"analysed": 8}})
        self.reports: list = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while not self.stopped.is_set():
            self.out.serve(wait_s=0.01)
            while self.out.reports:
                self.reports.append(self.out.reports.popleft())

    def wait_for(self, reports: int) -> list:
        until = time.monotonic() + WAIT_S
        while len(self.reports) < reports and time.monotonic() < until:
            time.sleep(0.01)
        return self.reports


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path)
    yield run
    run.stopped.set()
    run.thread.join()
    run.out.close()


@contextmanager
def channel(run: Run, **settings):
    """A channel that has its picture."""
    picture = SRChannel(run.out.address, run.out.snapshot_address, **settings)
    try:
        until = time.monotonic() + WAIT_S
        while not picture.ready:
            assert time.monotonic() < until, "no picture came"
            time.sleep(0.01)
        yield picture
    finally:
        picture.close()


def image_of(time_point: int, dtype=np.uint16):
    return np.full((64, 64), time_point, dtype), {"Axes": {"time": time_point}, "PixelType": "GRAY16", "Height": 64}


def test_each_so_many_images_are_followed_by_the_picture(run):
    with channel(run, mode="on", every=3, counts_per_localization=1000) as picture:
        answers = [picture.attach(*image_of(k)) for k in range(6)]
        assert [isinstance(answer, list) for answer in answers] == [False, False, True] * 2
        (raw, facts), (pixels, about) = answers[2]
        assert (raw == 2).all()
        assert facts == image_of(2)[1]
        assert (pixels.dtype, pixels.shape) == (np.uint16, (640, 640))
        assert about["Axes"] == {"time": 2, "channel": "SR"}
        assert (about["Height"], about["Width"], about["PixelSizeUm"]) == (640, 640, 0.01)
        assert about["LiveSMLM-Localizations"] == LOCALIZATIONS
        assert pixels.sum() == pytest.approx(1000 * LOCALIZATIONS, rel=0.01)
        assert np.unravel_index(pixels.argmax(), pixels.shape) in [(159, 319), (160, 320), (159, 320), (160, 319)]
        first, second = run.wait_for(2)
    assert (first.kind, first.frame, first.dry_run) == ("picture", 7, False)
    assert first.why == "follows the image at time 2: 50 localizations"
    assert second.why == "follows the image at time 5: 50 localizations"


def test_a_dry_run_changes_nothing_and_says_what_it_would_do(run):
    with channel(run, every=2) as picture:
        for k in range(2):
            image, facts = image_of(k)
            answer = picture.attach(image, facts)
            assert answer[0] is image
            assert answer[1] is facts
        placed = np.zeros((8, 8), np.uint16), {"Axes": {"time": 5, "channel": "SR"}}
        assert picture.attach(*placed)[0] is placed[0]
        reports = run.wait_for(2)
    assert [report.dry_run for report in reports] == [True, True]
    assert reports[1].why == "replaces the image at time 5: 50 localizations"


def test_no_more_pictures_than_asked_for(run):
    with channel(run, mode="on", every=2, most=1) as picture:
        answers = [picture.attach(*image_of(k)) for k in range(8)]
        assert sum(isinstance(answer, list) for answer in answers) == 1
        reports = run.wait_for(2)
    assert [report.why.split(": ")[1] for report in reports] == ["50 localizations", "no more than 1 pictures"]


def test_the_size_of_the_picture_is_limited_and_no_localization_is_lost(run):
    with channel(run, mode="on", every=2, max_side_px=200, counts_per_localization=1000) as picture:
        picture.attach(*image_of(0))
        _, (pixels, about) = picture.attach(*image_of(1))
    assert (pixels.shape, about["PixelSizeUm"]) == ((160, 160), 0.04)
    assert pixels.sum() == pytest.approx(1000 * LOCALIZATIONS, rel=0.01)


def test_counts_beyond_the_cameras_type_are_cut_and_counted(run):
    with channel(run, mode="on", every=2, counts_per_localization=1e5) as picture:
        picture.attach(*image_of(0, np.uint8))
        _, (pixels, about) = picture.attach(*image_of(1, np.uint8))
    assert pixels.dtype == np.uint8
    assert about["LiveSMLM-SaturatedPixels"] == (pixels == 255).sum() > 0


def attach_until_warned(picture: SRChannel) -> None:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        picture.attach(*image_of(0))
        time.sleep(0.02)


def test_without_a_run_the_acquisition_goes_on_and_it_is_said_once():
    picture = SRChannel("tcp://127.0.0.1:9", mode="on", every=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="the acquisition goes on without new pictures: nobody publishes"):
            attach_until_warned(picture)
        answers = [picture.attach(*image_of(k)) for k in range(4)]
        assert not any(isinstance(answer, list) for answer in answers)
        assert picture.attach(np.zeros((8, 8), np.uint16), {"Axes": {"channel": "SR"}}) is None
    picture.close()


@pytest.mark.parametrize("wrong", [{"every": 1}, {"mode": "yes"}, {"max_side_px": 10_000}, {"colour": "hot"}])
def test_wrong_settings_are_named(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        SRChannel("tcp://127.0.0.1:9", **wrong)


@pytest.mark.parametrize("report", [b"no", b'{"kind": "laser", "frame": 1, "why": ""}', b'{"kind": "picture"}'])
def test_the_run_takes_no_other_report(run, report):
    with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
        socket.connect(run.out.snapshot_address)
        socket.send_multipart([b"action", report])
        assert socket.poll(int(1000 * WAIT_S))
        assert socket.recv_multipart()[0] == b"error"
    assert run.reports == []


def java_image(time_point: int) -> list[bytes]:
    """An image as Micro-Manager's server hands it to an image processor."""
    tags = {"Axes": {"time": time_point}, "PixelType": "GRAY16", "Height": 64, "Width": 64}
    pixels = {"type": "short-array", "value": "[B@1f"}
    message = {"metadata": tags, "pixels": pixels}
    return [json.dumps(message).encode("iso-8859-1"), (31).to_bytes(4, "little"), bytes(2 * 64 * 64)]


def test_the_java_backends_processor_sends_both_images(run):
    """pycro-manager's own thread for image processors, between two sockets that stand for Micro-Manager's server."""
    java = pytest.importorskip("pycromanager.acquisition.java_backend_acquisitions")
    source = ZmqInSource(ZmqInSettings(address="tcp://127.0.0.1:*", timeout_s=WAIT_S))
    source.listen()
    acquisition = SimpleNamespace(abort=pytest.fail)
    acquisition._call_image_process_fn = lambda image, tags: acquisition._process_fn(image, tags)
    with zmq.Context() as context, context.socket(zmq.PUSH) as server, context.socket(zmq.PULL) as sink:
        from_server = server.bind_to_random_port("tcp://127.0.0.1")
        to_server = sink.bind_to_random_port("tcp://127.0.0.1")
        sink.unbind(f"tcp://127.0.0.1:{to_server}")  # the processor binds it
        sink.connect(f"tcp://127.0.0.1:{to_server}")
        with channel(run, mode="on", every=2) as picture, AcquisitionHook(source.address, picture=picture) as hook:
            arguments = (acquisition, to_server, from_server, threading.Event(), hook, None, False)
            thread = threading.Thread(target=java._run_image_processor, args=arguments)
            thread.start()
            for k in range(2):
                server.send_multipart(java_image(k))
            server.send_multipart([b'{"special": "finished"}'])
            received = []
            while not received or b"special" not in received[-1][0]:
                assert sink.poll(int(1000 * WAIT_S))
                received.append(sink.recv_multipart())
            thread.join()
            assert hook.sent == 2
        source.close()
    axes = [json.loads(parts[0])["metadata"]["Axes"] for parts in received[:-1]]
    assert axes == [{"time": 0}, {"time": 1}, {"time": 1, "channel": "SR"}]
    assert [len(parts[2]) for parts in received[:-1]] == [2 * 64**2, 2 * 64**2, 2 * 640**2]


IN_PYTHON = """
import sys, time
import mm_test_adapters
import numpy as np
from pycromanager import Acquisition, start_headless, stop_headless
from stream.errors import InputError
from stream.links.acquisition_hook import AcquisitionHook
from stream.links.sr_channel import SRChannel
frames, published, snapshots, config, out = sys.argv[1:]
start_headless(mm_app_path=str(mm_test_adapters.device_adapter_path()), config_file=config, python_backend=True)
try:
    try:
        SRChannel(published, snapshots, mode="on", every=2)
    except InputError as error:
        print(error.what, flush=True)
    picture = SRChannel(published, snapshots, mode="on", counts_per_localization=1000)
    while not picture.ready:
        time.sleep(0.01)
    with AcquisitionHook(frames, picture=picture, timeout_s=20) as hook:
        with Acquisition(image_process_fn=hook, show_display=False) as acquisition:
            events = [{"axes": {"time": k, "channel": "raw"}} for k in range(3)]
            acquisition.acquire([*events, {"axes": {"time": 2, "channel": "SR"}}])
        saved = acquisition.get_dataset()
        np.save(out, saved.read_image(time=2, channel="SR"))
        assert saved.read_image(time=2, channel="raw").shape == (256, 256)
        print(hook.sent, flush=True)
finally:
    stop_headless()
"""


def test_in_the_python_backend_images_of_the_channel_are_replaced(run, tmp_path):
    pytest.importorskip("mm_test_adapters", reason="mm-test-adapters is not installed")
    source = ZmqInSource(ZmqInSettings(address="tcp://127.0.0.1:*", timeout_s=60))
    source.listen()
    (tmp_path / "acquire.py").write_text(IN_PYTHON)
    where = (source.address, run.out.address, run.out.snapshot_address, DEMO, tmp_path / "saved.npy")
    process = subprocess.Popen(
        [sys.executable, tmp_path / "acquire.py", *where],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    source.open()
    frames = [frame for frame in source.frames() if frame is not None]
    source.close()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert said.splitlines()[0] == "every = 2: pycro-manager's Python backend takes one image for one"
    assert said.splitlines()[-1] == "3"
    assert [frame.axes for frame in frames] == [{"time": k, "channel": "raw"} for k in range(3)]
    assert np.load(tmp_path / "saved.npy").sum() == pytest.approx(1000 * LOCALIZATIONS, rel=0.01)
    assert [report.why for report in run.wait_for(1)] == ["replaces the image at time 2: 50 localizations"]


def test_a_hook_that_nobody_can_follow_says_so_before_the_acquisition(monkeypatch):
    mmpycorex = pytest.importorskip("mmpycorex")
    monkeypatch.setattr(mmpycorex, "is_pymmcore_active", lambda: True)
    with pytest.raises(InputError, match="takes one image for one"):
        SRChannel("tcp://127.0.0.1:9", every=2)
