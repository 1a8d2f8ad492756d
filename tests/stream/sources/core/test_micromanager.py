"""Micro-Manager's demo camera, in this process and behind a bridge: every image once, every way to end is named."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import zmq

from stream.errors import AddressError, FrameFormatError, InputError, LiveSMLMError, SourceFault
from stream.sources.limited import Limited
from stream.sources.micromanager import DEMO, MicroManagerSettings, MicroManagerSource
from tests.contracts import SourceContract

mm_test_adapters = pytest.importorskip("mm_test_adapters", reason="mm-test-adapters is not installed")

HERE = Path(__file__).parent
FRAMES = 12
PYTHON = MicroManagerSettings(backend="python", buffer_mb=64, exposure_ms=2)


@pytest.fixture
def server() -> Iterator[tuple[int, subprocess.Popen]]:
    """Give the port of a stand-in for a running Micro-Manager, and its process."""
    command = [sys.executable, HERE / "bridge_server.py", "0", DEMO, "16"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield int(process.stdout.readline()), process
    process.kill()
    process.communicate()


def bridge(port: int, **more) -> MicroManagerSource:
    return MicroManagerSource(MicroManagerSettings(port=port, **more))


def taken(source: MicroManagerSource, count: int) -> list:
    return list(islice((frame for frame in source.frames() if frame is not None), count))


@pytest.fixture(scope="module")
def beads() -> np.ndarray:
    """The demo camera's image, which is the same each time."""
    source = MicroManagerSource(PYTHON)
    source.open()
    pixels = taken(source, 1)[0].pixels
    source.close()
    assert pixels.max() > 2 * np.median(pixels)
    return np.repeat(pixels[None], FRAMES, axis=0)


class TestMicroManager(SourceContract):
    kind = "micromanager"

    @pytest.fixture
    def settings(self) -> MicroManagerSettings:
        return PYTHON

    @pytest.fixture
    def source(self, settings: MicroManagerSettings) -> Iterator[Limited]:
        source = Limited(MicroManagerSource(settings), FRAMES)
        yield source
        source.close()

    @pytest.fixture
    def expected(self, beads: np.ndarray) -> np.ndarray:
        return beads


def test_over_the_bridge_comes_what_comes_in_process(server: tuple, beads: np.ndarray) -> None:
    source = bridge(server[0], exposure_ms=2)
    info = source.open()
    frames = taken(source, FRAMES)
    source.close()
    assert [frame.index for frame in frames] == list(range(FRAMES))
    np.testing.assert_array_equal([frame.pixels for frame in frames], beads)
    assert (np.diff([frame.camera_time_s for frame in frames]) > 0).all()
    assert info.description.endswith("bridge")


def test_what_the_camera_is_set_to_is_told(server: tuple) -> None:
    said = []
    for source in (MicroManagerSource(PYTHON), bridge(server[0], exposure_ms=2)):
        info = source.open()
        source.close()
        assert (info.height_px, info.width_px, info.exposure_ms, info.verifiable) == (256, 256, 2.0, False)
        assert info.pixel_size_nm == pytest.approx(100)
        said.append({name: value for name, value in info.record.items() if name != "buffer_images"})
    assert said[0] == said[1]
    assert said[0]["devices"]["Laser405"] == "DemoCamera"
    assert (said[0]["roi"], said[0]["bit_depth"], said[0]["binning"]) == ([0, 0, 256, 256], 16, "1")


@pytest.fixture
def running() -> Iterator[tuple[MicroManagerSource, Iterator]]:
    """Give a source in this process whose first image has come."""
    source = MicroManagerSource(PYTHON.model_copy(update={"buffer_mb": 16, "exposure_ms": 0.5}))
    source.open()
    frames = (frame for frame in source.frames() if frame is not None)
    assert next(frames).index == 0
    yield source, frames
    source.close()


def test_all_images_of_a_full_buffer_come_before_it_is_named(running: tuple) -> None:
    source, frames = running
    connection, indices = source._connection, []
    while not connection.worker.ask(connection.core.is_buffer_overflowed):
        pass
    with pytest.raises(SourceFault, match="buffer was full, so it stopped the camera") as fault:
        indices.extend(frame.index for frame in frames)
    assert indices == list(range(1, len(indices) + 1))
    assert len(indices) >= connection.worker.ask(connection.core.get_buffer_total_capacity) - 1
    assert f"after image {indices[-1]}" in fault.value.what
    assert "images" in fault.value.limit
    assert "buffer_mb" in fault.value.remedy


def test_a_camera_that_stops_is_named(running: tuple) -> None:
    source, frames = running
    source._connection.worker.ask(source._connection.core.stop_sequence_acquisition)
    with pytest.raises(SourceFault, match=r"the camera stopped after image \d+"):
        list(frames)


def test_a_camera_that_somebody_starts_again_is_named(running: tuple) -> None:
    source, frames = running
    core, ask = source._connection.core, source._connection.worker.ask

    def again() -> None:
        core.stop_sequence_acquisition()
        core.start_sequence_acquisition(1000, 0.0, True)

    ask(again)
    with pytest.raises(SourceFault, match="somebody started the camera again"):
        list(frames)


def test_a_region_that_is_changed_while_frames_come_is_named(running: tuple) -> None:
    source, frames = running
    source._connection.worker.ask(lambda: source._connection.core.set_roi(0, 0, 128, 64))
    with pytest.raises((FrameFormatError, SourceFault), match=r"64 x 128 pixels, the first had 256 x 256|stopped"):
        list(frames)


def test_a_server_that_is_killed_is_noticed_and_named(server: tuple) -> None:
    port, process = server
    source = bridge(port, exposure_ms=2)
    source.open()
    frames = (frame for frame in source.frames() if frame is not None)
    got = [next(frames).index for _ in range(5)]
    process.kill()
    with pytest.raises(SourceFault, match=rf"Micro-Manager is gone: nothing listens at port {port}"):
        got.extend([next(frames).index for _ in range(10_000)])
    source.close()
    assert got == list(range(5))


def test_a_server_that_no_longer_answers_is_given_up(server: tuple) -> None:
    port, process = server
    source = bridge(port, exposure_ms=2, timeout_s=1.5)
    source.open()
    frames = source.frames()
    next(frame for frame in frames if frame is not None)
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(SourceFault, match=r"it has not answered for \d s"):
        list(frames)
    source.close()
    os.kill(process.pid, signal.SIGCONT)


def test_a_second_run_is_told_that_the_camera_is_taken(server: tuple) -> None:
    first, second = bridge(server[0]), bridge(server[0])
    first.open()
    taken(first, 1)
    with pytest.raises(SourceFault, match="camera Camera is running already"):
        second.open()
    second.close()
    first.close()
    third = bridge(server[0])  # and it was stopped when the first one ended
    third.open()
    third.close()


def test_nothing_listens_at_the_port() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(AddressError, match=f"no Micro-Manager at port {port}: nothing listens") as error:
        bridge(port).open()
    assert "Run server on port 4827" in error.value.remedy


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # of pyjavaz's own thread
def test_what_listens_is_not_micro_manager() -> None:
    with zmq.Context() as context, context.socket(zmq.PULL) as other:
        port = other.bind_to_random_port("tcp://127.0.0.1")
        with pytest.raises(AddressError, match=f"what listens at port {port} is not Micro-Manager"):
            bridge(port).open()


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config = .*none\.cfg: no such file"):
        MicroManagerSource(PYTHON.model_copy(update={"config": tmp_path / "none.cfg"})).open()


def test_adapters_of_another_version_are_named_with_both(tmp_path: Path) -> None:
    (tmp_path / "libmmgr_dal_DemoCamera.so.0").write_bytes(b"made for another interface")
    with pytest.raises(InputError, match=r"Micro-Manager cannot load .*DemoCamera") as error:
        MicroManagerSource(PYTHON.model_copy(update={"adapters": tmp_path})).open()
    assert "pymmcore 12.5.1.75.0 speaks device interface 75" in error.value.limit
    assert str(tmp_path) in error.value.limit
    MicroManagerSource(PYTHON).open()


def test_a_property_is_set_between_two_images_and_read_back(running: tuple) -> None:
    from stream.actuator import Setting

    source, frames = running
    assert source.actuator.set(Setting("Laser405", "Voltage", 3.5, 0, 4)) == 3.5
    assert source.actuator.set(Setting("Laser405", "Voltage", 9.0, 0, 4)) == 4.0
    assert next(frames).index > 0
    with pytest.raises(RuntimeError, match="Laser406"):
        source.actuator.set(Setting("Laser406", "Voltage", 1, 0, 4))


def test_it_says_which_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycromanager", None)
    with pytest.raises(LiveSMLMError, match="pycromanager is not installed") as error:
        MicroManagerSource(PYTHON).open()
    assert "livesmlm[micromanager]" in error.value.remedy
