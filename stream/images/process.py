"""The process of the image layer: reads the ring, runs the network, adds to the picture, and tells what it has seen.

It yields to everything else on the computer. As a newest-wins reader it never holds the camera up: what it cannot take
in time is passed over. As a lossless one it takes all, and the ring waits for it.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from stream.acquisition.ring import Ring
from stream.acquisition.ring_readers import NewestReader, RingReader
from stream.books.ranges import Ranges
from stream.config import EngineSettings
from stream.engine import Arrays
from stream.engines import open_engine
from stream.errors import LiveSMLMError
from stream.frame import Batch, Frame
from stream.images.blocks import Blocks
from stream.images.settings import IMAGE
from stream.images.shared import SharedPicture, no_tiles
from stream.picture.tiles import Marks
from stream.worker import NICENESS

BEHIND = 64
"""So many frames may wait, as after a pause; farther behind, the newest ones are taken instead of the oldest."""
AT_ONCE = 8
IDLE_S = 0.005
NEWS_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Task:
    """What the run gives the process to do; crosses the process boundary.

    Parameters
    ----------
    ring, picture : str
        Names of the shared memory.
    model : Path
    engine : EngineSettings
    maps : dict
        What the model is told of the camera.
    height_px, width_px : int
        Of the picture.
    """

    ring: str
    picture: str
    model: Path
    engine: EngineSettings
    maps: Arrays
    height_px: int
    width_px: int


@dataclass(slots=True)
class News:
    """What was done since the last news.

    Parameters
    ----------
    changed : (row, column) bool
        Tiles that were added to.
    seen : Ranges
        Frames that are in them.
    molecules : float
        Sum of what was added.
    ended : bool
        Nothing follows; `fault` says in words why, if something went wrong.
    """

    changed: Marks
    seen: Ranges = field(default_factory=Ranges)
    molecules: float = 0.0
    ended: bool = False
    fault: str = ""


def main(task: Task, connection: Connection) -> None:
    """Be the process. Ctrl-C is ignored: the run decides when it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    news = _News(task, connection)
    try:
        with closing(open_engine(task.model, task.engine)) as engine, Ring.attach(task.ring) as ring:
            blocks = Blocks(engine.run, engine.card, task.maps)
            with closing(SharedPicture.attach(task.picture, task.height_px, task.width_px)) as picture:
                news.ready()
                _Layer(blocks, engine.card.upsampling, picture, news).follow(ring.reader(IMAGE))
    except (LiveSMLMError, OSError) as error:
        news.unsent.fault = str(error)
    news.end()


class _News:
    """Tells the run, now and then; and hears when it is to end."""

    def __init__(self, task: Task, connection: Connection) -> None:
        self._nothing, self._connection = no_tiles(task.height_px, task.width_px), connection
        self.unsent, self._next_s = News(self._nothing.copy()), 0.0

    def ready(self) -> None:
        """Say that frames may come."""
        self._send()

    def tell(self) -> None:
        if self.unsent.seen and time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + NEWS_EVERY_S
            self._send()

    def end(self) -> None:
        self.unsent.ended = True
        self._send()

    def is_last(self) -> bool:
        """Return whether the run has said that no frame follows, or is gone."""
        parent = parent_process()
        return self._connection.poll() or (parent is not None and not parent.is_alive())

    def _send(self) -> None:
        with suppress(OSError):  # the run is gone
            self._connection.send(self.unsent)
        self.unsent = News(self._nothing.copy())


class _Layer:
    """Adds frames to the picture."""

    def __init__(self, blocks: Blocks, upsampling: int, picture: SharedPicture, news: _News) -> None:
        self._blocks, self._upsampling, self._picture, self._news = blocks, upsampling, picture, news

    def follow(self, reader: RingReader) -> None:
        """Take frames until none follows."""
        while True:
            last = self._news.is_last()  # asked before the frames: what came before is still taken
            batch = _next(reader)
            if batch is not None:
                self._add(batch)
                reader.release()
            elif last:
                return
            else:
                time.sleep(IDLE_S)
            self._news.tell()

    def _add(self, batch: Batch) -> None:
        unsent = self._news.unsent
        for part, image in self._blocks.images(batch.pixels):
            unsent.changed |= self._picture.add(part, image, self._upsampling)
            unsent.molecules += float(image.sum())
        unsent.seen.add_indices(batch.index.tolist())


def _next(reader: RingReader) -> Batch | None:
    """Return the frames that wait; a newest-wins reader that is far behind passes all over but the newest."""
    if isinstance(reader, NewestReader) and reader.waiting > BEHIND:
        frame = reader.newest()
        return None if frame is None else _alone(frame)
    return reader.lease(AT_ONCE)


def _alone(frame: Frame) -> Batch:
    times = (np.array([value]) for value in (frame.camera_time_s, frame.host_time_s, frame.stage_z_um))
    return Batch(frame.pixels[None], np.array([frame.index]), *times)
