"""Background under candidates from a network that sees a crop around each (BGnet; `models/systems/bgnet.py`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.backgrounds.crops import corners, cut, onto_windows
from models.localizations import Localizations
from models.refining.joint import window_corners
from models.refining.refine import Optics, xy_px
from stream.engine import Engine

Float32 = NDArray[np.float32]


class NetworkBackground:
    """Cuts a crop around each candidate and asks a network, once for all frames that come together.

    Parameters
    ----------
    engine : Engine
        With a model that `livesmlm train bgnet` made.
    optics : Optics
        Its windows are smaller than the crops, so that they lie inside.
    shape : (int, int)
        Rows and columns of the frames.
    """

    picture = None

    def __init__(self, engine: Engine, optics: Optics, shape: tuple[int, int]) -> None:
        self._engine, self.optics = engine, optics
        camera = optics.camera
        self._noise = np.broadcast_to(np.asarray(camera.variance_e2 / camera.excess**2, np.float32), shape)

    def under(self, frames: Sequence[Float32], tables: Sequence[Localizations]) -> list[Float32]:
        """Return windows; axes and units as `stream.stages.background.Backgrounds.under`."""
        counts = [len(table) for table in tables]
        window = self.optics.spot.window_px
        if not sum(counts):
            return [np.zeros((0, window, window), np.float32) for _ in tables]
        xy = np.concatenate([xy_px(table, self.optics.spot.pixel_size_nm) for table in tables])
        frame, side = np.repeat(np.arange(len(tables)), counts), self._engine.card.multiple_px
        corner = corners(xy, side)
        crops = cut(np.stack(frames), frame, corner, side)
        noise = cut(self._noise[None], np.zeros(len(xy), np.int64), corner, side)
        said = np.asarray(self._engine.run({"counts": crops, "variance": noise})["background"], np.float32)
        found = onto_windows(said, corner, window_corners(xy, window), window)
        return np.split(found, np.cumsum(counts)[:-1])
