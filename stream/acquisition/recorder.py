"""The recorder: a process of its own that keeps the raw frames of any source as OME-Zarr.

It is a lossless reader of the ring: with it, the writer waits for the disk as it waits for the analyzer.

    with recorder.start(ring.name, path, info, pixel_size_nm) as recording:
        recording.poll()          # raises what went wrong
        recording.recorded        # the frames that are on the disk
        recording.join()          # once the ring is finished
"""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from stream.acquisition.ring import Ring
from stream.acquisition.ring_readers import RingReader
from stream.books.ranges import Ranges
from stream.child import end
from stream.errors import LiveSMLMError, StorageFault
from stream.frame import StreamInfo

RECORD = "record"
LEASE_FRAMES = 64
IDLE_S = 0.002
NEWS_EVERY_S = 1.0
ALONE_S = 10.0
CLOSE_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Task:
    """What main gives the recorder to do; crosses the process boundary."""

    ring: str
    path: Path
    stream: StreamInfo
    pixel_size_nm: float


@dataclass(frozen=True, slots=True)
class News:
    """Frames on the disk since the last news; `ended` in the last one, with what went wrong, if anything did."""

    recorded: Ranges
    ended: bool = False
    fault: LiveSMLMError | None = None


def start(ring: str, path: Path, stream: StreamInfo, pixel_size_nm: float) -> Recording:
    """Start the recorder on the reader `record` of the ring called `ring`.

    Parameters
    ----------
    ring : str
        Name of a ring with a lossless reader called `record`.
    path : Path
        Folder to create; its name ends with `.ome.zarr`.
    stream : StreamInfo
        Shape of the frames.
    pixel_size_nm : float
        Camera pixel size in the sample.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=main, args=(Task(ring, path, stream, pixel_size_nm), theirs), name="livesmlm-record"
    )
    process.start()
    theirs.close()  # so that the pipe ends when the process does
    return Recording(process, ours, path)


class Recording:
    """A running recorder. Use as a context manager: it never outlives the block.

    Attributes
    ----------
    recorded : Ranges
        The frames that are on the disk, as far as the recorder has told; at most a second old after `poll`.
    """

    def __init__(self, process: SpawnProcess, connection: Connection, path: Path) -> None:
        self._process, self._connection, self._path = process, connection, path
        self._over = False
        self.recorded = Ranges()

    def poll(self, wait_s: float = 0.0) -> None:
        """Hear the recorder, for at most `wait_s`.

        Raises
        ------
        OutputError
            The folder exists or cannot be created.
        StorageFault
            The disk is full, or the recorder's process died.
        """
        while not self._over and self._connection.poll(wait_s):
            wait_s = 0.0
            news = self._receive()
            self.recorded.update(news.recorded)
            self._over = news.ended
            if news.fault is not None:
                raise news.fault

    def join(self, timeout_s: float = 60.0) -> None:
        """Wait until all frames of a finished ring are on the disk.

        Raises
        ------
        OutputError, StorageFault
            As in `poll`; StorageFault also if the time is over.
        """
        end_s = time.monotonic() + timeout_s
        while not self._over:
            left_s = end_s - time.monotonic()
            if left_s <= 0:
                raise StorageFault(
                    f"{self._path} was not finished within {timeout_s:g} s",
                    remedy="the disk is too slow for this camera: record to another one",
                )
            self.poll(left_s)

    def close(self) -> None:
        """End the process. May be called more than once."""
        if self._connection.closed:
            return
        self._connection.close()
        if not self._over:
            self._process.terminate()
        end(self._process, CLOSE_WITHIN_S)
        self._process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _receive(self) -> News:
        try:
            news = self._connection.recv()
        except (EOFError, OSError):
            self._process.join(CLOSE_WITHIN_S)
            fault = StorageFault(
                f"the recorder of {self._path} died (exit code {self._process.exitcode})",
                limit="the frames it reported before can be read",
                remedy="see what it printed above",
            )
            return News(Ranges(), ended=True, fault=fault)
        assert isinstance(news, News)
        return news


class _Reporter:
    """Tells main what is on the disk, at most once a second: a main that is busy never stops the recorder."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._unsent, self._next_s = connection, Ranges(), 0.0

    def add(self, recorded: Ranges) -> None:
        self._unsent.update(recorded)
        if len(self._unsent) and time.monotonic() >= self._next_s:
            self._send(News(self._unsent))
            self._unsent, self._next_s = Ranges(), time.monotonic() + NEWS_EVERY_S

    def end(self, fault: LiveSMLMError | None) -> None:
        self._send(News(self._unsent, ended=True, fault=fault))

    def _send(self, news: News) -> None:
        with suppress(OSError):  # main is gone: the frames are kept all the same
            self._connection.send(news)


def main(task: Task, connection: Connection) -> None:
    """Be the recorder's process. Ctrl-C is ignored: main decides when the camera stops."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reporter, fault = _Reporter(connection), None
    with Ring.attach(task.ring) as ring:
        try:
            _record(task, ring.reader(RECORD), reporter)
        except LiveSMLMError as error:
            ring.detach(RECORD)  # the camera and the analyzer go on
            fault = error
    reporter.end(fault)


def _record(task: Task, reader: RingReader, reporter: _Reporter) -> None:
    from stream.acquisition.ome_zarr import (
        OmeZarrWriter,  # zarr takes half a second to import, which only this process pays
    )

    writer = OmeZarrWriter(task.path, task.stream, task.pixel_size_nm)
    heard_s = time.monotonic()
    while True:
        finished = reader.finished  # asked before the lease: what was written before the end is still taken
        batch = reader.lease(LEASE_FRAMES)
        if batch is not None:
            reporter.add(writer.append(batch))
            reader.release()
            heard_s = time.monotonic()
        elif finished or (_main_is_gone() and time.monotonic() > heard_s + ALONE_S):
            break
        else:
            time.sleep(IDLE_S)
    reporter.add(writer.close())


def _main_is_gone() -> bool:
    parent = parent_process()
    return parent is not None and not parent.is_alive()
