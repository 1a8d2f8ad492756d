"""Devices in a real source process: set between frames, answered with what they say, and put back whatever happens."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from stream.acquisition import acquire
from stream.acquisition.batcher import Batcher
from stream.acquisition.devices import Answer
from stream.actuator import Setting
from stream.errors import SourceFault
from stream.frame import Frame, StreamInfo

SHAPE = (16, 16)
RING_BYTES = 8 * 2 * 16 * 16
GIVE_UP_S = 20
SPAWN = get_context("spawn")
AFTER = Setting("laser", "power", 0.5, 0, 100)


@dataclass
class LaserCamera:
    """Takes frames until the pipe says something, and tells it of each power that its laser is set to.

    13 is refused, and above 50 it stays at 50.
    """

    told: Connection
    frames_taken: int | None = None
    breaks: bool = False
    waits: bool = True

    def __post_init__(self) -> None:
        self.actuator = self

    def open(self) -> StreamInfo:
        return StreamInfo(*SHAPE, waits=self.waits)

    def frames(self) -> Iterator[Frame | None]:
        for index in count() if self.frames_taken is None else range(self.frames_taken):
            if self.told.poll():
                return
            yield Frame(np.full(SHAPE, index % 65_536, np.uint16), index, host_time_s=time.monotonic())
        if self.breaks:
            raise ZeroDivisionError("oops")

    def set(self, wanted: Setting) -> float:
        if wanted.value == 13:
            raise RuntimeError("the key of the laser is turned off")
        self.told.send(wanted.value)
        return min(wanted.value, 50.0)

    def close(self) -> None: ...


@pytest.fixture
def pipe() -> Iterator[tuple[Connection, Connection]]:
    ends = SPAWN.Pipe()
    yield ends
    for end in ends:
        end.close()


def start(camera: partial, folder: Path) -> acquire.Acquisition:
    return acquire.start(camera, "lossless", ring_bytes=RING_BYTES, folder=folder, after=AFTER)


def ask(acquisition: acquire.Acquisition, value: float) -> Answer:
    acquisition.set(replace(AFTER, value=value))
    end_s = time.monotonic() + GIVE_UP_S
    while not acquisition.answers:
        assert time.monotonic() < end_s, "no answer came"
        acquisition.poll(0.05)
    return acquisition.answers.popleft()


def take(acquisition: acquire.Acquisition, at_least: int | None = None) -> list[int]:
    batcher = Batcher(acquisition.ring.reader("analyse"), frames=4, deadline_s=0.01, wait=acquisition.poll)
    indices: list[int] = []
    while (at_least is None or len(indices) < at_least) and (batch := batcher.next()) is not None:
        indices += batch.index.tolist()
        batcher.done()
    return indices


def told(end: Connection) -> list[float]:
    """What was set, in order, by now."""
    values = []
    while end.poll():
        values.append(end.recv())
    return values


def test_a_device_is_set_before_the_first_frame_and_while_the_analyzer_is_slow(tmp_path, pipe):
    with start(partial(LaserCamera, pipe[1]), tmp_path) as acquisition:
        assert acquisition.actuates
        first = ask(acquisition, 3)
        assert (first.read_back, first.frame, first.fault) == (3, -1, None)
        acquisition.go()
        indices = take(acquisition, at_least=8)
        later = ask(acquisition, 4)  # the ring is full: the source waits, and answers all the same
        assert indices[-1] < later.frame <= indices[-1] + acquisition.ring.slots + 2
        acquisition.request_stop()
        take(acquisition)
        acquisition.join()
    assert told(pipe[0]) == [3, 4, 0.5]
    assert [answer.left_behind for answer in acquisition.answers] == [True]


def test_a_device_that_refuses_or_does_otherwise_is_heard_and_the_frames_go_on(tmp_path, pipe):
    with start(partial(LaserCamera, pipe[1], 60), tmp_path) as acquisition:
        refused, other = ask(acquisition, 13), ask(acquisition, 80)
        assert refused.read_back is None
        assert "laser.power = 13 was refused: the key of the laser is turned off" in str(refused.fault)
        assert (other.read_back, other.fault) == (50, None)
        acquisition.go()
        assert take(acquisition) == list(range(60))
        acquisition.join()


def test_nothing_is_set_any_more_once_it_was_put_back(tmp_path, pipe):
    with start(partial(LaserCamera, pipe[1], 3), tmp_path) as acquisition:
        acquisition.go()
        end_s = time.monotonic() + GIVE_UP_S
        while not acquisition.answers:
            assert time.monotonic() < end_s
            acquisition.poll(0.05)
        acquisition.set(replace(AFTER, value=99))
        take(acquisition)
        acquisition.join()
    assert told(pipe[0]) == [0.5]


def test_it_is_put_back_when_the_camera_breaks_and_when_a_run_is_left_early(tmp_path, pipe):
    (tmp_path / "broken").mkdir()
    (tmp_path / "left").mkdir()
    with start(partial(LaserCamera, pipe[1], 5, breaks=True), tmp_path / "broken") as acquisition:
        ask(acquisition, 7)
        acquisition.go()
        with pytest.raises(SourceFault, match="oops"):
            take(acquisition), acquisition.join()
    with start(partial(LaserCamera, pipe[1]), tmp_path / "left") as acquisition:
        ask(acquisition, 8)
        acquisition.go()
        take(acquisition, at_least=4)
    with start(partial(LaserCamera, pipe[1]), tmp_path / "left") as acquisition:
        ask(acquisition, 9)
    assert told(pipe[0]) == [7, 0.5, 8, 0.5, 9, 0.5]


def hold(camera: partial, folder: Path, ready: Connection) -> None:
    """Main, in a process of its own: turns the laser up and hangs."""
    with start(camera, folder) as acquisition:
        ask(acquisition, 42)
        acquisition.go()
        take(acquisition, at_least=8)
        ready.send("hanging")
        ready.recv()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("waits", [True, False], ids=["the source stops", "the camera goes on"])
def test_it_is_put_back_when_main_is_killed(tmp_path, waits):
    mine, cameras = SPAWN.Pipe()
    ready, mains = SPAWN.Pipe()
    main = SPAWN.Process(target=hold, args=(partial(LaserCamera, cameras, waits=waits), tmp_path, mains))
    main.start()
    cameras.close()
    mains.close()
    assert ready.poll(GIVE_UP_S)
    os.kill(main.pid, signal.SIGKILL)
    main.join(GIVE_UP_S)
    values = []
    for _ in range(2):
        assert mine.poll(GIVE_UP_S)
        values.append(mine.recv())
    assert values == [42, 0.5]
    with suppress(OSError):  # one that has stopped does not listen
        mine.send("enough")
    assert mine.poll(GIVE_UP_S), "the source process did not end"
    with pytest.raises((EOFError, ConnectionResetError)):
        mine.recv()
    for resource in (mine, ready, main):
        resource.close()
