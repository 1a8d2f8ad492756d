"""A real source process: every frame it takes is analysed, on disk, or in the ledger with a reason."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
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
from stream.acquisition.policy import UNSPOOLED
from stream.acquisition.recorder import RECORD
from stream.acquisition.ring import Ring
from stream.acquisition.spool import Spool
from stream.books.ledger import BACKWARDS, COUNTER_GAP, OVERLOAD, REPEATED, Ledger
from stream.books.ranges import Ranges
from stream.errors import AddressError, FrameFormatError, InputError, SourceFault, StorageFault
from stream.frame import Frame, StreamInfo

SHAPE = (64, 48)
FRAME_BYTES = 2 * 64 * 48
GIVE_UP_S = 20
SPAWN = get_context("spawn")


def frame(index: int, shape: tuple[int, int] = SHAPE) -> Frame:
    """A frame whose every pixel tells its index."""
    return Frame(np.full(shape, index % 65_536, np.uint16), index, host_time_s=time.monotonic())


@dataclass
class Camera:
    """Takes the frames it is told to, or frames without end; may break afterwards, or in `open`."""

    indices: tuple[int, ...] | None = None
    waits: bool = False
    verifiable: bool = True
    breaks: Exception | None = None
    refuses: Exception | None = None
    other_shape_at: int | None = None
    file_limit_bytes: int | None = None

    def open(self) -> StreamInfo:
        if self.refuses is not None:
            raise self.refuses
        if self.file_limit_bytes is not None:
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_limit_bytes, resource.RLIM_INFINITY))
        return StreamInfo(*SHAPE, verifiable=self.verifiable, waits=self.waits)

    def frames(self) -> Iterator[Frame | None]:
        yield None
        for index in count() if self.indices is None else self.indices:
            yield frame(index, (8, 8) if index == self.other_shape_at else SHAPE)
        if self.breaks is not None:
            raise self.breaks

    def close(self) -> None: ...


class MultiDimensionalCamera(Camera):
    """Takes a stack of three slices, and a frame that says nothing of where it lies."""

    def frames(self) -> Iterator[Frame | None]:
        yield from (replace(frame(z), axes={"z": z, "channel": "GFP"}) for z in range(3))
        yield frame(3)


@dataclass
class GatedCamera(Camera):
    """Takes its frames, waits for the gate, and takes as many more."""

    gate: Connection | None = None

    def frames(self) -> Iterator[Frame | None]:
        assert self.indices is not None
        assert self.gate is not None
        yield from map(frame, self.indices)
        while not self.gate.poll(0.01):
            yield None
        yield from (frame(index + len(self.indices)) for index in self.indices)


def start(camera: Callable[[], Camera], folder: Path, policy="lossless", slots=8, **more) -> acquire.Acquisition:
    return acquire.start(camera, policy, ring_bytes=slots * FRAME_BYTES, folder=folder, **more)


def hear_until(acquisition: acquire.Acquisition, condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + GIVE_UP_S
    while not condition():
        assert time.monotonic() < end_s, "what was waited for did not come"
        acquisition.poll(0.05)


def take(acquisition: acquire.Acquisition, at_least: int | None = None) -> list[int]:
    """Analyse frames, to the end or until so many have come; look at every pixel."""
    batcher = Batcher(acquisition.ring.reader("analyse"), frames=5, deadline_s=0.01, wait=acquisition.poll)
    indices: list[int] = []
    while (at_least is None or len(indices) < at_least) and (batch := batcher.next()) is not None:
        assert (batch.pixels == batch.index[:, None, None]).all()
        indices += batch.index.tolist()
        acquisition.ledger.analyse(batch.index.tolist())
        batcher.done()
        acquisition.poll()
    return indices


def take_and_join(acquisition: acquire.Acquisition) -> None:
    """Analyse to the end. What ended the stream is raised here, by whichever call hears of it."""
    take(acquisition)
    acquisition.join()


def test_every_frame_arrives_in_order(tmp_path):
    with start(partial(Camera, tuple(range(100)), waits=True), tmp_path) as acquisition:
        assert acquisition.info.width_px == SHAPE[1]
        acquisition.go()
        assert take(acquisition) == list(range(100))
        acquisition.join()
    totals = acquisition.ledger.summary()
    assert (totals["received"], totals["ringed"], totals["lag"], totals["spilled"]) == (100, 100, 0, 0)
    assert acquisition.ledger.check() == []
    source = Ledger.read(tmp_path / "ledger-source.json")
    assert source.ended == "finished"
    assert source.received.to_list() == [(0, 99)]
    assert [path.name for path in tmp_path.iterdir()] == ["ledger-source.json"]


def test_a_recorder_that_comes_when_all_was_analysed_still_gets_every_frame(tmp_path):
    camera = partial(Camera, tuple(range(5)), waits=True)
    with start(camera, tmp_path, readers={RECORD: "lossless"}) as acquisition:
        acquisition.go()
        assert take(acquisition) == list(range(5))
        time.sleep(1)  # long enough for the source process to end, if it would
        with Ring.attach(acquisition.ring.name) as late:
            reader = late.reader(RECORD)
            batch = reader.lease(10)
            assert batch is not None
            assert batch.index.tolist() == list(range(5))
            reader.release()
        acquisition.join()


def test_a_slow_analyzer_makes_frames_spill_and_gets_them_all_in_order(tmp_path):
    with start(partial(Camera, tuple(range(200))), tmp_path) as acquisition:
        acquisition.go()
        hear_until(acquisition, lambda: acquisition.ledger.spilled.total >= 100)
        assert acquisition.ledger.summary()["waiting_in_spool"] >= 100
        assert take(acquisition) == list(range(200))
        acquisition.join()
    assert acquisition.ledger.summary()["spilled"] == 192
    assert acquisition.ledger.summary()["lag"] == 0
    assert acquisition.ledger.check() == []
    assert not (tmp_path / "spool").exists()


def test_gaps_are_missing_and_repeated_indices_refused(tmp_path):
    with start(partial(Camera, (0, 1, 1, 5, 3, 6)), tmp_path) as acquisition:
        acquisition.go()
        assert take(acquisition) == [0, 1, 5, 6]
        acquisition.join()
    assert acquisition.ledger.missing[COUNTER_GAP].to_list() == [(2, 4)]
    assert acquisition.ledger.refused == {REPEATED: 1, BACKWARDS: 1}
    assert acquisition.ledger.check() == []


def test_a_live_run_skips_what_it_cannot_take_and_names_each(tmp_path):
    with start(partial(Camera, tuple(range(3, 500))), tmp_path, "live") as acquisition:
        acquisition.go()
        hear_until(acquisition, lambda: acquisition.ledger.received.total >= 100)
        analysed = take(acquisition)
        acquisition.join()
        acquisition.ledger.skip_overtaken()
    assert analysed == sorted(set(analysed))
    assert analysed[-1] == 499
    assert acquisition.ledger.received.to_list() == [(3, 499)]
    assert acquisition.ledger.skipped[OVERLOAD].total == 497 - len(analysed) > 0
    assert acquisition.ledger.summary()["lag"] == 0
    assert acquisition.ledger.check() == []


def test_stop_ends_the_camera_and_what_was_taken_still_comes(tmp_path):
    with start(partial(Camera, waits=True), tmp_path) as acquisition:
        acquisition.go()
        indices = take(acquisition, at_least=50)
        acquisition.request_stop()
        indices += take(acquisition)
        acquisition.join()
    assert indices == list(range(len(indices)))
    assert acquisition.ledger.received.total == len(indices)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_is_left_to_main_and_a_termination_stops_the_camera(tmp_path):
    with start(partial(Camera, waits=True), tmp_path) as acquisition:
        acquisition.go()
        indices = take(acquisition, at_least=10)
        os.kill(acquisition.pid, signal.SIGINT)
        indices += take(acquisition, at_least=500)
        os.kill(acquisition.pid, signal.SIGTERM)
        indices += take(acquisition)
        acquisition.join()
    assert indices == list(range(len(indices)))


def test_an_error_in_open_comes_with_its_class(tmp_path):
    error = AddressError("port 80 is taken", limit="a free port", remedy="choose another")
    with pytest.raises(AddressError, match="port 80 is taken") as raised:
        start(partial(Camera, refuses=error), tmp_path)
    assert (raised.value.limit, raised.value.remedy) == ("a free port", "choose another")


def test_an_error_in_the_stream_comes_after_the_good_frames(tmp_path):
    with start(partial(Camera, tuple(range(30)), breaks=FrameFormatError("page 30 is cut")), tmp_path) as acquisition:
        acquisition.go()
        with pytest.raises(FrameFormatError, match="page 30 is cut"):
            take_and_join(acquisition)
        with pytest.raises(FrameFormatError, match="page 30 is cut"):
            acquisition.poll()
    assert acquisition.ledger.analysed.to_list() == [(0, 29)]
    assert Ledger.read(tmp_path / "ledger-source.json").ended == "fault: page 30 is cut"


def test_a_defect_of_the_source_is_named(tmp_path):
    with start(partial(Camera, (0,), breaks=ZeroDivisionError("oops")), tmp_path) as acquisition:
        acquisition.go()
        with pytest.raises(SourceFault, match="ZeroDivisionError: oops"):
            take_and_join(acquisition)
    assert acquisition.ledger.analysed.to_list() == [(0, 0)]


def test_a_frame_of_another_shape_ends_the_run_after_the_good_ones(tmp_path):
    with start(partial(Camera, tuple(range(20)), other_shape_at=12), tmp_path) as acquisition:
        acquisition.go()
        with pytest.raises(FrameFormatError, match=r"frame 12 is uint16 of shape \(8, 8\)"):
            take_and_join(acquisition)
    assert acquisition.ledger.analysed.to_list() == [(0, 11)]
    assert acquisition.ledger.check() == []


def test_a_ring_too_small_for_the_frames_is_refused(tmp_path):
    with pytest.raises(InputError, match="ring_mb"):
        start(partial(Camera, ()), tmp_path, slots=1)


@pytest.mark.skipif(sys.platform == "win32", reason="a limit on the size of files stands for the full disk")
def test_a_full_disk_ends_the_run_and_loses_no_frame_unnamed(tmp_path):
    camera = partial(Camera, tuple(range(200)), file_limit_bytes=40 * FRAME_BYTES)
    with start(camera, tmp_path) as acquisition:
        acquisition.go()
        hear_until(acquisition, lambda: bool(acquisition.ledger.skipped))
        with pytest.raises(StorageFault, match="could not be written"):
            take_and_join(acquisition)
    refused = acquisition.ledger.received.last
    assert acquisition.ledger.analysed.to_list() == [(0, refused - 1)]
    assert acquisition.ledger.skipped[UNSPOOLED].to_list() == [(refused, refused)]
    assert acquisition.ledger.summary()["lag"] == 0
    assert acquisition.ledger.check() == []


def test_the_frames_of_a_killed_source_are_still_analysed(tmp_path):
    with start(partial(Camera, waits=True), tmp_path) as acquisition:
        acquisition.go()
        last = take(acquisition, at_least=20)[-1]
        hear_until(acquisition, lambda: acquisition.ring.full)
        acquisition.kill()
        with pytest.raises(SourceFault, match="died"):
            take_and_join(acquisition)
        with pytest.raises(SourceFault, match="exit code"):
            acquisition.join()
    assert acquisition.ledger.analysed.to_list() == [(0, last + acquisition.ring.slots)]
    assert acquisition.ledger.summary()["lag"] == 0


@dataclass
class SuspiciousCamera(Camera):
    """Knows of frames that it lost itself, and of one before which it may have lost some."""

    def __post_init__(self) -> None:
        self.missing, self.suspicious = {"lost": Ranges([(2, 4)])}, {"late": Ranges([(6, 6)])}


def test_what_a_source_knows_and_suspects_comes_into_the_ledger(tmp_path):
    with start(partial(SuspiciousCamera, (0, 1, 5, 6), verifiable=False), tmp_path) as acquisition:
        acquisition.go()
        assert take(acquisition) == [0, 1, 5, 6]
        acquisition.join()
    assert acquisition.ledger.missing["lost"].to_list() == [(2, 4)]
    assert acquisition.ledger.suspicious["late"].to_list() == [(6, 6)]
    assert acquisition.ledger.check() == []
    assert Ledger.read(tmp_path / "ledger-source.json").suspicious["late"].to_list() == [(6, 6)]


@dataclass
class HangingCamera(Camera):
    """Takes its frames, and then hangs as a driver may: nothing in its process goes on."""

    def frames(self) -> Iterator[Frame | None]:
        yield from super().frames()
        os.kill(os.getpid(), signal.SIGSTOP)


def test_a_source_that_hangs_is_ended_by_force_and_its_frames_are_analysed(tmp_path, monkeypatch):
    monkeypatch.setattr(acquire, "NAMED_AFTER_S", 0.5)
    monkeypatch.setattr(acquire, "SILENT_S", 1.0)
    with start(partial(HangingCamera, tuple(range(5))), tmp_path) as acquisition:
        acquisition.go()
        with pytest.raises(SourceFault, match=r"said nothing for 1 s and was ended by force") as fault:
            take_and_join(acquisition)
        assert "camera and its driver" in fault.value.remedy
        (named,) = acquisition.remarks
        assert named.startswith("the source has said nothing for 0.")
    assert acquisition.ledger.analysed.to_list() == [(0, 4)]


def test_the_axes_of_frames_are_kept_beside_them(tmp_path):
    with start(MultiDimensionalCamera, tmp_path) as acquisition:
        acquisition.go()
        take_and_join(acquisition)
    lines = [json.loads(line) for line in (tmp_path / "axes.jsonl").read_text().splitlines()]
    assert lines == [{"frame": k, "axes": {"z": k, "channel": "GFP"}} for k in (0, 1, 2)]


def test_a_source_that_dies_while_opening_is_noticed(tmp_path):
    with pytest.raises(SourceFault, match="exit code 7"):
        start(partial(os._exit, 7), tmp_path)


def test_leaving_early_spools_what_was_not_taken(tmp_path):
    with start(partial(Camera, waits=True), tmp_path) as acquisition:
        acquisition.go()
        taken = take(acquisition, at_least=20)
    received = Ledger.read(tmp_path / "ledger-source.json")
    left = [kept.index for kept in Spool.open_existing(tmp_path / "spool")]
    assert received.ended == "interrupted"
    assert left == list(range(len(taken), received.received.total))


def run_until_killed(folder: Path, camera: GatedCamera, slots: int, taken: Connection) -> None:
    """Main, in a process of its own: takes 5 frames and hangs."""
    with start(partial(as_is, camera), folder, slots=slots) as acquisition:
        acquisition.go()
        hear_until(acquisition, lambda: acquisition.ledger.received.total >= min(slots, len(camera.indices)))
        reader = acquisition.ring.reader("analyse")
        indices = reader.lease(5).index.tolist()
        reader.release()
        hear_until(acquisition, lambda: acquisition.ledger.ringed.total == min(slots + 5, len(camera.indices)))
        reader.lease(2)
        taken.send(indices)
        taken.recv()


def as_is(camera: GatedCamera) -> GatedCamera:
    return camera


def kill_main(folder: Path, slots: int, waits: bool) -> tuple[Ledger, list[int]]:
    """Kill main while it holds a lease; once the source has ended, return its ledger and the indices on disk."""
    gate, camera_gate = SPAWN.Pipe()
    taken, main_taken = SPAWN.Pipe()
    camera = GatedCamera(tuple(range(40)), waits=waits, gate=camera_gate)
    main = SPAWN.Process(target=run_until_killed, args=(folder, camera, slots, main_taken))
    main.start()
    camera_gate.close()
    main_taken.close()
    assert taken.poll(GIVE_UP_S)
    assert taken.recv() == [0, 1, 2, 3, 4]
    main.kill()
    main.join(GIVE_UP_S)
    gate.send("more")
    assert gate.poll(GIVE_UP_S), "the source process did not end"
    with pytest.raises((EOFError, ConnectionResetError)):
        gate.recv()
    for resource in (gate, taken, main):
        resource.close()
    left = []
    for kept in Spool.open_existing(folder / "spool"):
        assert (kept.pixels == kept.index).all()
        left.append(kept.index)
    assert left == sorted(set(left))
    return Ledger.read(folder / "ledger-source.json"), left


@pytest.mark.parametrize("slots", [8, 64], ids=["while spilling", "while the ring has room"])
def test_when_main_is_killed_the_camera_goes_on_and_no_frame_is_lost(tmp_path, slots):
    source, left = kill_main(tmp_path, slots, waits=False)
    assert source.ended == "interrupted"
    assert source.received.to_list() == [(0, 79)]
    assert left[-75:] == list(range(5, 80))


def test_when_main_is_killed_a_source_that_can_wait_stops(tmp_path):
    source, left = kill_main(tmp_path, slots=8, waits=True)
    assert source.ended == "interrupted"
    assert source.received.last < 20
    assert left == list(range(5, source.received.last + 1))
