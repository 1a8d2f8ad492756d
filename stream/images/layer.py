"""The image layer, seen from the run: its process is started, heard and ended; frames never wait for it unasked.

with start(rig, info, ring) as layer:
        layer.await_ready()  # before the first frame
        layer.poll()         # what was added meanwhile; in words what went wrong, if anything did
        layer.pyramid        # the picture
        layer.finish(alive)  # once no frame follows
"""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from stream.acquisition.ring import Ring
from stream.books.ledger import Ledger
from stream.books.ranges import Ranges
from stream.calibration import camera
from stream.child import end, one_thread
from stream.config import Rig
from stream.frame import StreamInfo
from stream.images import process
from stream.images.blocks import TILE_PX
from stream.images.kept import file_of
from stream.images.model import image_engine, image_model
from stream.images.process import News, Task
from stream.images.settings import IMAGE as READER
from stream.images.shared import SharedPicture
from stream.picture.image import Named, write_ome_tiff, write_png
from stream.picture.layers import IMAGE
from stream.picture.tiles import Pyramid
from stream.stages.localize import maps_of

LAST_WITHIN_S = 20.0
"""So long the end of a run waits for the frames that still wait; where all are wanted, as long as it takes."""
READY_WITHIN_S = 60.0
CLOSE_WITHIN_S = 5.0
WAITS_FOR_ALL = (
    '[image] frames = "all": camera frames wait for the image layer, which is slower than the localizer; localizations '
    "come later for it"
)


def start(rig: Rig, info: StreamInfo, ring: Ring) -> ImageLayer:
    """Start the process on the reader `READER` of a ring.

    Raises
    ------
    ModelError, SampleSpaceError, RigError
        As `image_model`; or there is no memory for the picture.
    """
    path, card = image_model(rig)
    height_px, width_px = card.upsampling * info.height_px, card.upsampling * info.width_px
    maps = maps_of(camera(rig.camera, info.height_px, info.width_px), (info.height_px, info.width_px))
    picture = SharedPicture.create(height_px, width_px)
    pyramid = Pyramid(height_px, width_px, rig.camera.pixel_size_nm / card.upsampling, TILE_PX, picture.tiles)
    task = Task(ring.name, picture.name, path, image_engine(rig), maps, height_px, width_px)
    return ImageLayer(task, ring, picture, pyramid, card.name, waits=rig.image.frames == "all")


class ImageLayer:
    """A running layer. Use as a context manager: its process never outlives the block.

    Parameters
    ----------
    task : Task
    ring : Ring
        Gives its reader up if the process dies.
    picture : SharedPicture
        Closed with the layer.
    pyramid : Pyramid
        Its finest level lies in `picture`.
    model : str
        Name of the network.
    waits : bool
        Whether the ring waits for it.

    Attributes
    ----------
    pyramid : Pyramid
    seen : Ranges
        Frames that are in the picture, as far as the process has told.
    molecules : float
        Sum of the picture.
    """

    def __init__(
        self, task: Task, ring: Ring, picture: SharedPicture, pyramid: Pyramid, model: str, waits: bool
    ) -> None:
        self._ring = ring
        self.pyramid, self.seen, self.molecules = pyramid, Ranges(), 0.0
        self._picture, self._model, self.waits = picture, model, waits
        self._ready = self._over = False
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=process.main, args=(task, theirs), name="livesmlm-image", daemon=True
        )
        with one_thread():
            self._process.start()
        theirs.close()  # so that the pipe ends when the process does

    def poll(self, wait_s: float = 0.0) -> str:
        """Hear the process, for at most `wait_s`; return in words why it ended, if it did and nobody had asked."""
        while not self._over and self._connection.poll(wait_s):
            wait_s = 0.0
            news = _received(self._connection)
            self._ready, self._over = True, news.ended
            if news.fault:
                self._ring.detach(READER)  # it waits for nobody who is gone
                return f"the image layer ended ({news.fault}); the run goes on without it"
            self.pyramid.levels[0].mark(news.changed)
            self.seen.update(news.seen)
            self.molecules += news.molecules
        return ""

    def await_ready(self) -> str:
        """Wait until the process has the ring and its network, so that no frame comes too early; returns as `poll`."""
        until, words = time.monotonic() + READY_WITHIN_S, ""
        while not (words or self._ready) and time.monotonic() < until:
            words = self.poll(0.25)
        return words

    def finish(self, alive: Callable[[], object]) -> str:
        """Let what waits be added; `alive` is called now and then. Returns in words what was given up."""
        until, words = time.monotonic() + LAST_WITHIN_S, ""
        try:
            if not self._over:
                self._connection.send("no frame follows")
            while not (words or self._over) and (self.waits or time.monotonic() < until):
                words = self.poll(0.25)
                alive()
        except OSError:
            words = self.poll()
        except KeyboardInterrupt:
            words = "the image layer was stopped at once"
        if not (words or self._over):
            words = f"the image layer did not end within {LAST_WITHIN_S:g} s: it lacks the frames that still waited"
        return words

    def facts(self, ledger: Ledger) -> dict[str, Any]:
        """Return how the layer is doing, and write what it has seen into the ledger."""
        ledger.imaged.update(self.seen)
        left_out = ledger.received.difference(self.seen).total
        return {"model": self._model, "seen": self.seen.total, "left_out": left_out,
                "molecules": round(self.molecules, 1), "waits": self.waits}  # fmt: skip

    def write(self, folder: Path) -> None:
        """Write `image.ome.tif` and `image.png`. Raises StorageFault."""
        what = f"{self._model}: sum over {self.seen.total} frames, molecules in each pixel; not corrected for drift"
        write_ome_tiff(folder / file_of(IMAGE), self.pyramid, named=Named("image layer", what))
        write_png(folder / "image.png", self.pyramid)

    def close(self) -> None:
        """End the process and let go of the picture. May be called more than once."""
        if self._connection.closed:
            return
        self._connection.close()
        self._process.terminate()
        end(self._process, CLOSE_WITHIN_S)
        self._process.close()
        self._picture.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _received(connection: Connection) -> News:
    try:
        news = connection.recv()
    except (EOFError, OSError):
        return News(np.zeros((0, 0), bool), ended=True, fault="its process died")
    assert isinstance(news, News)
    return news
