"""A run's dealings with the process that measures its picture."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Protocol

import numpy as np

from models.localizations import Localizations
from stream.beside import Beside, Correct, Gatherer, as_localized
from stream.config import Rig
from stream.frame import StreamInfo
from stream.quality import watch_process
from stream.quality.watch import Field, Rows

REST = 49.0
"""After an estimate the process rests so many times as long as it worked: it takes a fiftieth of a processor."""


class Measurer(Gatherer[dict[str, Any]], Protocol):
    """Whoever measures; `WatchProcess` does."""

    def send(self, rows: Rows, estimate: bool) -> None:
        """Take rows, and be asked for an estimate. Raises WorkerDied."""


class LiveResolution(Beside[dict[str, Any]]):
    """Collects what was located and passes on each estimate.

    Parameters
    ----------
    measurer : Measurer
    every_s : float
        Between estimates, at least.
    found : callable
        Told of each estimate: the header of the topic `resolution`.
    tell : callable
        Told in words if nothing more will be measured, and, once, if positions gather somewhere in the pixels.
    correct : callable
        Shifts a table's positions by the drift that is known.
    clock : callable

    Attributes
    ----------
    newest : dict or None
        The last estimate.
    """

    def __init__(
        self,
        measurer: Measurer,
        every_s: float,
        found: Callable[[dict[str, Any]], None],
        tell: Callable[[str], None],
        correct: Correct = as_localized,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(measurer, "estimate of the resolution", every_s, REST, tell, clock)
        self._measurer, self._found, self._correct, self._warned = measurer, found, correct, False
        self.newest: dict[str, Any] | None = None

    def _send(self, table: Localizations, ask: bool) -> None:
        x_nm, y_nm = as_localized(table)
        still = (x_nm, y_nm) if self._correct is as_localized else self._correct(table)
        self._measurer.send(Rows(np.asarray(table["frame"], np.int64), x_nm, y_nm, *still), ask)

    def _hear(self, found: dict[str, Any], seconds: float) -> None:
        self.newest = found | {"not_measured": self.missed, "seconds": round(seconds, 4)}
        self._found(self.newest)
        if self.newest["subpixel"]["flat"] is False and not self._warned:
            self._warned = True
            self._tell(self.newest["subpixel"]["verdict"])


def start(
    rig: Rig, info: StreamInfo, stack: ExitStack, found: Callable[[dict[str, Any]], None],
    tell: Callable[[str], None], correct: Correct, clock: Callable[[], float],
) -> LiveResolution:  # fmt: skip
    """Start the process; `stack` ends it. Parameters as of `LiveResolution`."""
    field = Field(info.height_px, info.width_px, rig.camera.pixel_size_nm)
    process = stack.enter_context(watch_process.start(field, rig.resolution))
    return LiveResolution(process, rig.resolution.every_s, found, tell, correct, clock)
