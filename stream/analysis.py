"""What is done to each batch: locate, write, render, publish; and the books that are kept of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from models.guard.molecules.mean_residual import MeanResidual
from models.localizations import OUTSIDE, Localizations
from stream.books.health import Health
from stream.books.ledger import Ledger
from stream.books.optics_log import OpticsLog
from stream.books.statistics import EVERY_S, Statistics
from stream.books.verdicts import Verdicts
from stream.frame import Batch
from stream.picture.background import BackgroundMap
from stream.picture.previews import Previews
from stream.picture.render import Renderer
from stream.sink import Sink
from stream.sinks.zmq_out import ZmqOut
from stream.stages.stage import Located, Stage

if TYPE_CHECKING:
    from stream.stages.drift import DriftWatch

BACKGROUND_EVERY_S = 2.0


class Analysis:
    """Takes batches in frame order and hands the results to the sinks, the image and the subscribers.

    Parameters
    ----------
    localizer : Stage
    renderer : Renderer
    background : BackgroundMap
    previews : Previews
    files : list of Sink
        Opened; closed by their owner.
    publisher : ZmqOut
        Opened; closed by its owner.
    ledger : Ledger
    health : Health
    optics_log : OpticsLog
    verdicts : Verdicts
    statistics : Statistics
    seen : callable
        Shown each batch before it is located.
    heard : callable
        Told of what was located, once it is written and published.
    drift : DriftWatch or None
        Draws what was located, corrected; without one it is drawn as it is.
    clock : callable
        The clock of `Batch.host_time_s`.

    Attributes
    ----------
    statistics, optics : dict
        Header of the newest `statistics` message; what was said last of the optics. Empty before the first.
    residual : MeanResidual or None
        What the guard's molecules were like when it last told.
    """

    def __init__(
        self,
        localizer: Stage,
        renderer: Renderer,
        background: BackgroundMap,
        previews: Previews,
        files: list[Sink],
        publisher: ZmqOut,
        ledger: Ledger,
        health: Health,
        optics_log: OpticsLog,
        verdicts: Verdicts,
        statistics: Statistics,
        seen: Callable[[Batch], None],
        heard: Callable[[Located], None],
        drift: DriftWatch | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._localizer, self._renderer, self._files, self._publisher = localizer, renderer, files, publisher
        self._ledger, self._health, self._optics_log, self._clock = ledger, health, optics_log, clock
        self._background, self._previews, self._drift = background, previews, drift
        self._statistics, self._heard, self._verdicts = statistics, heard, verdicts
        self._seen = seen
        self.statistics: dict[str, Any] = {}
        self.optics: dict[str, Any] = {}
        self.residual: MeanResidual | None = None
        self._next_background_s = clock()
        self._next_statistics_s = clock() + EVERY_S
        self._under_way: Batch | None = None
        publisher.follow(renderer.changed, renderer.layers)

    @property
    def look_ahead_frames(self) -> int:
        """How many of the newest frames may still lack their answer."""
        return self._localizer.look_ahead_frames

    def take(self, batch: Batch) -> None:
        """Locate a batch; its pixels are not used after the return."""
        self._previews.take(batch)
        self._seen(batch)
        self._locate(batch)
        self._under_way = Batch.empty(*batch.pixels.shape[1:])

    def settle(self) -> None:
        """Hand on what the engine has under way: for the moments when no batch is ready to follow."""
        if self._under_way is not None:
            nothing, self._under_way = self._under_way, None
            self._locate(nothing)

    def flush(self) -> None:
        """Locate the newest frames, which had waited for the next one."""
        self._tell(self._localizer.flush())
        self._previews.close()

    def tell_skipped(self) -> None:
        """Book what policy `live` has passed over, and tell the sinks."""
        for first, last in self._ledger.skip_overtaken():
            for sink in (*self._files, self._publisher):
                sink.skipped(first, last, "overload")

    def _locate(self, batch: Batch) -> None:
        self._tell(self._localizer.process(batch))

    def _tell(self, located: Located) -> None:
        self._tell_optics(located)
        self._tell_guard(located)
        self._hand_on(located)

    def _hand_on(self, located: Located) -> None:
        if not len(located.index):
            return
        first, last = int(located.index[0]), int(located.index[-1])
        indices = located.index.tolist()
        self._ledger.analyse(indices)
        for sink in self._files:
            sink.write(located.table, first, last)
        self._ledger.written.add_indices(indices)
        self._draw(located.table, first, last)
        self._publisher.write(located.table, first, last)
        self._ledger.published.add_indices(indices)
        self._previews.tell(located)
        self._background.add(located.table, last)
        self._show_background(located)
        self._statistics.add(located)
        self._heard(located)
        self._verdicts.reach(last)
        self._health.left_out += located.left_out
        self._health.outside += _outside(located.table)
        self._health.analysed(len(located.table), 1000 * (self._clock() - located.host_time_s))

    def tell_statistics(self) -> None:
        """Publish what the molecules are like, when it is time; call it often, also while no frame comes."""
        if self._clock() >= self._next_statistics_s:
            self._next_statistics_s = self._clock() + EVERY_S
            self.statistics = self._statistics.report()
            self._publisher.statistics(self.statistics)

    def _draw(self, table: Localizations, first: int, last: int) -> None:
        if self._drift is None:
            self._renderer.add(table)
        else:
            self._drift.hear(table, first, last)

    def _show_background(self, located: Located) -> None:
        """Publish the background now and then: of each pixel if a stage knows it, else from the localizations."""
        if self._clock() < self._next_background_s:
            return
        self._next_background_s = self._clock() + BACKGROUND_EVERY_S
        last = int(located.index[-1])
        if located.background is None:
            self._publisher.background(self._background.picture(), self._background.cell_nm, last)
        else:
            self._publisher.background(located.background, self._background.pixel_nm, last)

    def _tell_optics(self, located: Located) -> None:
        """Publish and keep what was found of the pupil."""
        if located.optics is None:
            return
        self._health.optics = located.optics.in_words
        self.optics = located.optics.facts
        if located.optics.waves is not None:
            self._publisher.phase(located.optics.waves, located.optics.facts)
            self._optics_log.add(located.optics)
        if located.optics.psf is not None:
            self._publisher.psf(located.optics.psf, located.optics.facts["psf_epoch"])

    def _tell_guard(self, located: Located) -> None:
        """Publish and keep what the guard says, and what its molecules are like."""
        if located.residual is not None:
            self.residual = located.residual
            self._publisher.residual(located.residual)
        if located.guard is None:
            return
        self._health.guard = located.guard
        self._verdicts.hear(located.guard)
        self._publisher.guard(located.guard.header())


def _outside(table: Localizations) -> int:
    """Return how many rows were located while the guard said outside."""
    return int(np.count_nonzero(np.asarray(table["flags"]) & OUTSIDE)) if "flags" in table else 0
