"""Micro-Manager behind a real source process: what was received is kept, and no camera runs on, whoever dies."""

import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from stream.acquisition import acquire
from stream.acquisition.batcher import Batcher
from stream.books.ledger import Ledger
from stream.errors import SourceFault
from stream.sources.micro_manager.settings import MicroManagerSettings
from stream.sources.micromanager import MicroManagerSource
from tests.stream.commands.conftest import ROOT, command
from tests.stream.sources.micro_manager import Server, configuration

GIVE_UP_S = 120.0
RING_BYTES = 64 * 64 * 2 * 4000
RIG = """
[camera]
pixel_size_nm = 100
[model]
name = "localizer-2d"
[engine]
threads = 1
[source]
kind = "micromanager"
backend = "bridge"
port = {port}
[policy]
overload = "live"
[publish]
address = "tcp://127.0.0.1:*"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server("--config", configuration(tmp_path, exposure_ms=5))
    yield server
    server.kill()


def wait_until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + GIVE_UP_S
    while not condition():
        assert time.monotonic() < end_s, "what was waited for did not come"


def start(settings: MicroManagerSettings, folder: Path) -> acquire.Acquisition:
    return acquire.start(partial(MicroManagerSource, settings), "lossless", ring_bytes=RING_BYTES, folder=folder)


def take(acquisition: acquire.Acquisition, at_least: int | None = None) -> list[int]:
    """Analyse frames, to the end or until so many have come."""
    batcher = Batcher(acquisition.ring.reader("analyse"), frames=5, deadline_s=0.01, wait=acquisition.poll)
    indices: list[int] = []
    while (at_least is None or len(indices) < at_least) and (batch := batcher.next()) is not None:
        indices += batch.index.tolist()
        acquisition.ledger.analyse(batch.index.tolist())
        batcher.done()
        acquisition.poll()
    return indices


def take_and_join(acquisition: acquire.Acquisition) -> None:
    """Analyse to the end. What ended the stream is raised here, by whichever call hears of it."""
    take(acquisition)
    acquisition.join()


def test_frames_of_a_core_in_the_source_process(tmp_path):
    settings = MicroManagerSettings(config_file=configuration(tmp_path), buffer_mb=16)
    with start(settings, tmp_path) as acquisition:
        acquisition.go()
        taken = take(acquisition, 50)
        acquisition.request_stop()
        taken += take(acquisition)
        acquisition.join()
    assert taken == list(range(len(taken)))
    assert acquisition.ledger.check() == []
    assert Ledger.read(tmp_path / "ledger-source.json").ended == "finished"


def test_a_server_that_dies_is_named_and_what_it_gave_is_kept(server, tmp_path):
    with start(server.settings(), tmp_path) as acquisition:
        acquisition.go()
        take(acquisition, 20)
        server.kill()
        with pytest.raises(SourceFault, match="is gone: its connection was closed"):
            take_and_join(acquisition)
    assert acquisition.ledger.check() == []
    assert acquisition.ledger.received.to_list() == [(0, acquisition.ledger.received.last)]
    assert acquisition.ledger.analysed.total == acquisition.ledger.received.total


def test_a_camera_whose_run_was_killed_is_stopped(server, tmp_path):
    with start(server.settings(), tmp_path) as acquisition:
        acquisition.go()
        take(acquisition, 20)
        assert server.somebody("isSequenceRunning") == "True"
        acquisition.kill()
        wait_until(lambda: server.somebody("isSequenceRunning") == "False")
        with pytest.raises(SourceFault, match="killed by a signal"):
            take_and_join(acquisition)
    assert acquisition.ledger.check() == []


def test_a_live_run_whose_main_process_is_killed_leaves_nothing(server, tmp_path):
    """Main is ended by a signal that it cannot handle; its source process hears of it, stops the camera and ends."""
    (tmp_path / "rig.toml").write_text(RIG.format(port=server.port))
    arguments = command("run", tmp_path / "rig.toml", "--out", tmp_path / "out", "--no-page")
    run, ledger = subprocess.Popen(arguments, cwd=ROOT, stderr=subprocess.DEVNULL), tmp_path / "out" / "ledger.json"
    wait_until(lambda: ledger.exists() and Ledger.read(ledger).analysed.total > 0)
    assert server.somebody("isSequenceRunning") == "True"
    others = psutil.Process(run.pid).children(recursive=True)
    run.kill()
    run.wait()
    _, alive = psutil.wait_procs(others, timeout=GIVE_UP_S)
    assert alive == []
    assert server.somebody("isSequenceRunning") == "False"
    assert not [block for other in others for block in Path("/dev/shm").glob(f"livesmlm-{other.pid}-*")]
    assert Ledger.read(tmp_path / "out" / "ledger-source.json").ended == "interrupted"
