"""Micro-Manager's own core with its demo camera, in process and over the bridge; and what may go wrong with either."""

import atexit
import os
import platform
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import mm_test_adapters
import numpy as np
import pytest
import zmq

from stream.books.ledger import Ledger
from stream.books.ranges import Ranges
from stream.errors import FrameFormatError, InputError, RigError, SourceFault
from stream.frame import Frame
from stream.sources.limited import Limited
from stream.sources.micro_manager import links
from stream.sources.micro_manager.numbering import RESTARTED
from stream.sources.micro_manager.settings import MicroManagerSettings
from stream.sources.micromanager import OVERFLOWED, MicroManagerSource
from tests.contracts import SourceContract
from tests.stream.sources.micro_manager import Server, configuration

# the bridge never closes its socket
pytestmark = pytest.mark.filterwarnings(r"ignore:Unclosed socket <zmq.Socket\(zmq.REQ\):ResourceWarning")
FRAMES = 12


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start stand-in servers; all are gone afterwards."""
    servers: list[Server] = []

    def start(*arguments: object) -> Server:
        servers.append(Server(*arguments))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def in_process(tmp_path: Path) -> Iterator[Callable[..., MicroManagerSource]]:
    """Make sources with a core in this process; all are closed afterwards."""
    sources: list[MicroManagerSource] = []

    def make(settings: dict[str, object] | None = None, **camera: object) -> MicroManagerSource:
        path = configuration(tmp_path, **camera)
        sources.append(
            MicroManagerSource(MicroManagerSettings(**{"config_file": path, "buffer_mb": 16} | (settings or {})))
        )
        return sources[-1]

    yield make
    for source in sources:
        source.close()


def some(source: MicroManagerSource, count: int) -> list[Frame]:
    """Take frames of an open source."""
    found = []
    for frame in source.frames():
        found += [frame] if frame is not None else []
        if len(found) == count:
            break
    return found


def until_fault(source: MicroManagerSource, at: int, event: Callable[[], object]) -> tuple[list[Frame], SourceFault]:
    """Take frames until the source has a fault; after `at` of them something happens."""
    found: list[Frame] = []

    def take() -> None:
        for frame in source.frames():
            if frame is not None:
                found.append(frame)
                if len(found) == at:
                    event()

    with pytest.raises(SourceFault) as fault:
        take()
    return found, fault.value


class MicroManagerContract(SourceContract):
    kind = "micromanager"

    @pytest.fixture
    def expected(self, tmp_path: Path) -> np.ndarray:
        """Of the beads of the demo camera, which do not move: each frame is like the first."""
        source = MicroManagerSource(MicroManagerSettings(config_file=configuration(tmp_path), buffer_mb=16))
        source.open()
        first = some(source, 1)[0].pixels.copy()
        source.close()
        assert first.max() > 100
        return np.repeat(first[None], FRAMES, 0)


class TestInProcess(MicroManagerContract):
    @pytest.fixture
    def settings(self, tmp_path):
        return MicroManagerSettings(config_file=configuration(tmp_path), buffer_mb=16)

    @pytest.fixture
    def source(self, expected, settings):
        return Limited(MicroManagerSource(settings), FRAMES)


class TestOverTheBridge(MicroManagerContract):
    @pytest.fixture
    def settings(self, serve, tmp_path):
        return serve("--config", configuration(tmp_path)).settings()

    @pytest.fixture
    def source(self, expected, settings):
        source = Limited(MicroManagerSource(settings), FRAMES)
        yield source
        source.close()


def test_what_the_camera_says_of_itself_is_told(in_process):
    info = in_process({"exposure_ms": 3.0, "roi_px": (8, 4, 40, 20)}, side_px=64).open()
    assert (info.height_px, info.width_px, info.exposure_ms, info.pixel_size_nm) == (20, 40, 3.0, pytest.approx(100))
    assert not info.verifiable
    assert (info.camera["camera"], info.camera["x_px"], info.camera["y_px"]) == ("Camera", 8, 4)
    assert (info.camera["bit_depth"], info.camera["binning"]) == (16, "1")
    assert info.camera["devices"]["Laser405"] == "DemoCamera, Demo DA"
    assert "Device API version 75" in info.camera["core"]
    assert info.camera["buffer_frames"] == 16 * 2**20 // (20 * 40 * 2)
    assert info.remarks == ()


def test_both_ways_to_the_core_tell_the_same(in_process, serve, tmp_path):
    source = in_process()
    here = source.open()
    source.close()
    source = serve("--config", configuration(tmp_path)).source(buffer_mb=16)
    there = source.open()
    source.close()
    assert here.camera == there.camera


def test_eight_bits_are_widened(in_process):
    source = in_process(PixelType="8bit")
    assert source.open().camera["bytes_per_pixel"] == 1
    assert {frame.pixels.dtype for frame in some(source, 3)} == {np.dtype(np.uint16)}


def test_a_buffer_that_holds_less_than_two_seconds_is_named(in_process):
    (remark,) = in_process({"buffer_mb": 4, "exposure_ms": 0.5}, side_px=512).open().remarks
    assert "less than 2 s: set [source] buffer_mb" in remark


def test_colour_is_refused(in_process):
    with pytest.raises(FrameFormatError, match="4 bytes in 4 components"):
        in_process(PixelType="32bitRGB").open()


def test_a_field_that_the_camera_changes_is_refused(serve, tmp_path):
    np.save(tmp_path / "stack.npy", np.zeros((2, 24, 32), np.uint16))
    source = serve("--stack", tmp_path / "stack.npy").source(roi_px=(8, 4, 18, 8))
    with pytest.raises(FrameFormatError, match=r"roi_px = \[8, 4, 18, 8\]: the camera makes \[8, 4, 16, 8\]"):
        source.open()
    source.close()


@pytest.mark.parametrize(("wrong", "says"), [
    ({}, "python needs a config_file"), ({"backend": "bridge", "config_file": "a.cfg"}, "bridge has none"),
])  # fmt: skip
def test_a_rig_that_mixes_the_two_ways_is_refused(wrong, says):
    from stream.config import validate

    with pytest.raises(RigError, match=says):
        validate({"camera": {"pixel_size_nm": 100}, "source": {"kind": "micromanager", **wrong}}, "rig")


def test_a_configuration_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"no configuration file .*none\.cfg"):
        MicroManagerSource(MicroManagerSettings(config_file=tmp_path / "none.cfg")).open()


def test_a_configuration_that_cannot_be_read_is_named_with_its_line(tmp_path):
    (tmp_path / "a.cfg").write_text("Device,Hub,DemoCamera,DHub\nConfigPixelSize,Res100x,Binning\n")
    with pytest.raises(InputError, match="cannot be read: Line 2"):
        MicroManagerSource(MicroManagerSettings(config_file=tmp_path / "a.cfg")).open()


def test_a_second_core_in_one_process_is_refused(in_process, serve, tmp_path):
    in_process().open()
    with pytest.raises(SourceFault, match="has a core already"):
        in_process().open()
    with pytest.raises(SourceFault, match="has a core already"):
        serve("--config", configuration(tmp_path)).source().open()


@pytest.mark.filterwarnings("ignore:Version mistmatch")
def test_a_server_of_another_version_is_named_and_used(serve, tmp_path):
    source = serve("--config", configuration(tmp_path), "--version", "4.2.0").source()
    assert source.open().remarks[0] == "Micro-Manager's server speaks version 4.2.0, the bridge was tried with 5.1.0"
    assert len(some(source, 3)) == 3
    source.close()


def test_no_camera_in_the_configuration(tmp_path):
    (tmp_path / "a.cfg").write_text("Device,Hub,DemoCamera,DHub\n")
    source = MicroManagerSource(MicroManagerSettings(config_file=tmp_path / "a.cfg"))
    with pytest.raises(SourceFault, match="has no camera"):
        source.open()
    source.close()


@pytest.mark.skipif(platform.machine() != "x86_64" or os.name != "posix", reason="patches machine code")
def test_adapters_of_another_version_than_the_core_are_named_with_both(tmp_path):
    """The demo's adapter, changed so that it says it was built for device interface 74."""
    there = Path(mm_test_adapters.device_adapter_path()) / "libmmgr_dal_DemoCamera.so.0"
    returns_75, returns_74 = (bytes([0xB8, version, 0, 0, 0, 0xC3]) for version in (75, 74))
    content = there.read_bytes()
    assert content.count(returns_75) == 1
    (tmp_path / there.name).write_bytes(content.replace(returns_75, returns_74))
    settings = MicroManagerSettings(adapters=str(tmp_path), config_file=configuration(tmp_path))
    with pytest.raises(InputError, match="have device interface 74, the core of pymmcore has 75"):
        MicroManagerSource(settings).open()


def test_nothing_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(SourceFault, match="nothing listens at port") as fault:
            MicroManagerSource(MicroManagerSettings(backend="bridge", port=free.getsockname()[1])).open()
    assert "Run server on port" in fault.value.remedy


def test_what_listens_speaks_another_protocol():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(SourceFault, match="is not Micro-Manager: it gave no answer"):
            MicroManagerSource(MicroManagerSettings(backend="bridge", port=other.getsockname()[1])).open()


def test_what_listens_speaks_the_same_protocol_and_is_not_micro_manager():
    with zmq.Context() as context, context.socket(zmq.ROUTER) as other:
        other.linger = 0
        port = other.bind_to_random_port("tcp://127.0.0.1")
        with pytest.raises(SourceFault, match="is not Micro-Manager: it gave no answer"):
            MicroManagerSource(MicroManagerSettings(backend="bridge", port=port)).open()


def test_a_buffer_that_overflows_ends_the_run_after_all_that_was_in_it(in_process):
    """The camera fills its buffer while nobody takes a frame."""
    source = in_process({"buffer_mb": 4}, side_px=512, exposure_ms=0)
    source.open()
    core = source._link._core

    def wait_until_it_stops() -> None:
        while core.is_sequence_running():
            pass

    taken, fault = until_fault(source, 1, wait_until_it_stops)
    assert f"buffer was full after frame {taken[-1].index}, and the camera stopped" in fault.what
    assert [frame.index for frame in taken] == list(range(len(taken)))
    assert len(taken) >= 4 * 2**20 // (512 * 512 * 2)
    assert source.suspicious[OVERFLOWED].to_list() == [(taken[-1].index, taken[-1].index)]


@pytest.mark.parametrize(("call", "says"), [
    (("setROI", 0, 0, 32, 16), "the field's width was 64 and is 32"),
    (("setExposure", 7.0), "the exposure in ms was 2.0 and is 7.0"),
    (("stopSequenceAcquisition",), "the camera Camera stopped after"),
])  # fmt: skip
def test_somebody_at_the_microscope_meddles(serve, tmp_path, call, says):
    server = serve("--config", configuration(tmp_path))
    source = server.source()
    source.open()
    taken, fault = until_fault(source, 10, lambda: server.somebody(*call))
    source.close()
    assert says in fault.what
    assert len(taken) >= 10
    assert server.somebody("isSequenceRunning") == "False"


def test_a_sequence_that_somebody_starts_anew_is_noted_and_followed(serve, tmp_path):
    server = serve("--config", configuration(tmp_path))
    source = server.source()
    source.open()
    frames = (frame for frame in source.frames() if frame is not None)
    before = [next(frames).index for _ in range(5)]
    source._link.call(lambda core: (core.stop_sequence_acquisition(), core.start_sequence_acquisition(500, 0.0, True)))
    after = [next(frames).index for _ in range(5)]
    source.close()
    assert after[0] > before[-1]
    assert after == sorted(set(after))
    assert [first in after or first > after[-1] for (first, _) in source.suspicious[RESTARTED]] == [True]


def test_micro_manager_is_killed_in_the_middle(serve, tmp_path):
    server = serve("--config", configuration(tmp_path))
    source = server.source()
    source.open()
    taken, fault = until_fault(source, 10, server.kill)
    assert f"port {server.port} is gone: its connection was closed" in fault.what
    assert [frame.index for frame in taken] == list(range(len(taken)))
    source.close()


def test_no_frame_is_noted_for_the_end_of_the_process(serve, tmp_path):
    """Else memory would grow for as long as the camera runs."""
    source = serve("--config", configuration(tmp_path)).source()
    source.open()
    before = atexit._ncallbacks()
    some(source, 20)
    assert atexit._ncallbacks() == before
    source.close()


def test_micro_manager_hangs(serve, tmp_path, monkeypatch):
    """Stopped by a signal, it keeps its connections and answers nothing."""
    server = serve("--config", configuration(tmp_path))
    source = server.source()
    source.open()
    monkeypatch.setattr(links, "SILENT_S", 1.0)
    _, fault = until_fault(source, 10, partial(server.process.send_signal, signal.SIGSTOP))
    assert "is gone: it gave no answer for 1 s" in fault.what
    server.kill()
    source.close()


def test_a_second_run_does_not_take_the_frames_of_the_first(serve, tmp_path):
    server = serve("--config", configuration(tmp_path))
    source, second = server.source(), server.source()
    source.open()
    frames = (frame for frame in source.frames() if frame is not None)
    assert next(frames).index == 0
    with pytest.raises(SourceFault, match="already takes a sequence"):
        second.open()
    second.close()
    assert [next(frames).index for _ in range(10)] == list(range(1, 11))
    source.close()


def test_the_cameras_own_counter_shows_what_the_driver_lost(serve, tmp_path):
    stack = np.random.default_rng(1).integers(0, 60_000, (40, 24, 32), np.uint16)
    np.save(tmp_path / "stack.npy", stack)
    source = serve("--stack", tmp_path / "stack.npy", "--exposure-ms", 2, "--lose", 7, 20, 21).source(
        counter_tag="Picture"
    )
    assert source.open().verifiable
    taken, ledger = some(source, 30), Ledger(verifiable=True)
    source.close()
    assert all(ledger.receive(frame.index) for frame in taken)
    assert all((frame.pixels == stack[frame.index]).all() for frame in taken)
    assert ledger.missing["camera counter gap"].to_list() == [(7, 7), (20, 21)]


def test_a_counter_that_the_camera_has_not_is_named(in_process):
    source = in_process({"counter_tag": "FrameNo"})
    source.open()
    with pytest.raises(FrameFormatError, match="FrameNo = None") as error:
        some(source, 1)
    assert "ImageNumber" in error.value.limit


def test_what_is_noted_reaches_the_ledger_through_a_limit(in_process):
    source = in_process()
    source.missing["gap"] = Ranges([(3, 4)])
    assert Limited(source, 5).missing is source.missing
    assert Limited(source, 5).suspicious is source.suspicious
