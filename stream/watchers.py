"""Whoever hears what was located: drift, resolution, statistics' alarms; what they find is published, kept and told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations
from stream.beside import Beside, Correct, as_localized
from stream.books.alarm_rules import rules
from stream.books.alarms import Alarms, Seen
from stream.books.health import Health
from stream.books.json_lines import ALARMS, RESOLUTION, JsonLines
from stream.config import Rig
from stream.errors import StorageFault
from stream.feedback.steering import Steering
from stream.frame import Batch, StreamInfo
from stream.picture.render import Renderer
from stream.readers.parquet import table_parts
from stream.sinks.zmq_out import ZmqOut
from stream.stages.stage import Located

if TYPE_CHECKING:
    from stream.predicted.live import LivePrediction
    from stream.quality.live import LiveResolution
    from stream.stages.drift import DriftWatch
    from stream.stages.traces import TraceWatch


class Watchers:
    """Made for a run, once its frames are known.

    Parameters
    ----------
    rig : Rig
    info : StreamInfo
    folder : Path
        Of the results.
    renderer : Renderer
    publisher : ZmqOut
        Opened.
    steering : Steering
    health : Health
        Told of the resolution, and of what is predicted.
    widefield : callable
        Returns the sum of all frames so far.
    stack : ExitStack
        Closes the processes that are started here.
    tell, warn : callable
        Told in words what to say, and what to keep in `run.json` as well.
    clock : callable

    Attributes
    ----------
    drift : DriftWatch or None
        Draws what was located.
    pictures : dict
        What is drawn here beside the density, by name.
    """

    def __init__(
        self, rig: Rig, info: StreamInfo, folder: Path, renderer: Renderer, publisher: ZmqOut, steering: Steering,
        health: Health, widefield: Callable[[], NDArray[np.float64]], stack: ExitStack,
        tell: Callable[[str], None], warn: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._rig, self._folder, self._publisher, self._steering = rig, folder, publisher, steering
        self._health, self._tell, self._warn, self._clock = health, tell, warn, clock
        self._alarm_log, self._resolution_log = JsonLines(folder / ALARMS), JsonLines(folder / RESOLUTION)
        self._alarms = Alarms(rules(info.waits, folder), self._note_alarm, clock())
        self.drift = self._watch_drift(renderer)
        self._resolution = self._watch_resolution(info, stack)
        self._traces = self._watch_traces(info, stack)
        self._prediction = self._watch_prediction(info, stack, widefield)
        self.pictures = {} if self._prediction is None else self._prediction.pictures
        besides: tuple[Beside[Any] | None, ...] = (self._resolution, self._prediction)
        self._besides = [beside for beside in besides if beside is not None]

    def see(self, batch: Batch) -> None:
        """See frames as they come, before they are located; their pixels are not used after the return."""
        if self._traces is not None:
            self._traces.take(batch)

    def hear(self, located: Located) -> None:
        """Hear what was located, once it is written and published."""
        self._steering.hear(located)
        for beside in self._besides:
            beside.hear(located)
        if self._traces is not None:
            self._traces.hear(located)

    def serve(self) -> None:
        """Take what was found meanwhile; call it often."""
        for beside in self._besides:
            beside.serve()
        if self._traces is not None:
            self._traces.serve()

    def alarms(self, health: Mapping[str, Any], statistics: Mapping[str, Any], optics: Mapping[str, Any]) -> Any:
        """Return what a person should know now, for the message `health`."""
        return self._alarms.look(Seen(self._clock(), health, statistics, optics))

    def last_steps(self, alive: Callable[[], object]) -> list[Callable[[], object]]:
        """Return what is to be done when the last frame is analysed, before the files are closed.

        `alive` is called now and then where that takes long.
        """
        steps: list[Callable[[], object]] = [] if self.drift is None else [self.drift.end]
        steps += [partial(beside.finish, alive) for beside in self._besides]
        if self._prediction is not None:
            steps.append(partial(self._prediction.write, self._folder))
        if self._traces is not None:
            steps += [self._traces.finish, partial(self._traces.write, self._folder)]
        return steps

    def refine_drift(self, alive: Callable[[], object]) -> None:
        """Go over the whole run again, once its table is closed; `alive` is called now and then."""
        archive = self._folder / "table.parquet"
        if self.drift is None or not archive.exists():  # it is complete, or not there
            return
        try:
            self.drift.refine(partial(_told, archive, alive))
        except KeyboardInterrupt:
            self._warn("the second pass over the drift was stopped at once: the picture may lack localizations")

    def results(self) -> dict[str, Any]:
        """Return what was found, for `run.json`."""
        drift = {"method": "off"} if self.drift is None else self.drift.summary()
        found: dict[str, Any] = {"steering": self._steering.summary(), "alarms": self._alarms.log, "drift": drift}
        found |= {} if self._resolution is None else {"resolution": self._resolution.newest}
        return found if self._traces is None else found | {"traces": self._traces.summary()}

    def _watch_drift(self, renderer: Renderer) -> DriftWatch | None:
        if self._rig.drift.mode == "off":
            return None
        from stream.drift.files import DriftFiles
        from stream.stages.drift import DriftWatch  # compiles: only where it is wanted

        files = DriftFiles(self._folder, self._rig.camera.pixel_size_nm)
        return DriftWatch(self._rig.drift, renderer, files, self._publisher.drift, self._warn)

    def _watch_resolution(self, info: StreamInfo, stack: ExitStack) -> LiveResolution | None:
        if self._rig.resolution.mode == "off":
            return None
        from stream.quality import live

        return live.start(self._rig, info, stack, self._tell_resolution, self._warn, self._correct, self._clock)

    def _watch_prediction(
        self, info: StreamInfo, stack: ExitStack, widefield: Callable[[], NDArray[np.float64]]
    ) -> LivePrediction | None:
        if self._rig.prediction.model is None:
            return None
        from stream.predicted import live

        return live.start(
            self._rig, info, stack, self._correct, widefield, self._tell_prediction, self._warn, self._clock
        )

    @property
    def _correct(self) -> Correct:
        """What shifts positions by the drift that is known."""
        return as_localized if self.drift is None else self.drift.places

    def _watch_traces(self, info: StreamInfo, stack: ExitStack) -> TraceWatch | None:
        if self._rig.traces.model is None:
            return None
        from stream.bleaching.opening import step_counter, trace_watch

        counter = step_counter(self._rig.traces.model)
        stack.callback(counter.close)
        drift = None if self.drift is None else self.drift.at
        return trace_watch(self._rig, info, counter, drift, self._publisher.traces, self._warn, self._clock)

    def _tell_resolution(self, estimate: dict[str, Any]) -> None:
        self._publisher.resolution(estimate)
        self._resolution_log.add(estimate)
        self._health.resolution_nm, self._health.precision_nm = estimate["frc_nm"], estimate["nena_nm"]
        self._steering.hear_resolution(estimate["frc_nm"])

    def _tell_prediction(self, facts: dict[str, Any]) -> None:
        self._health.prediction = facts

    def _note_alarm(self, line: Mapping[str, Any]) -> None:
        """Keep a line of the alarms, and say it. An alarm that cannot be written must not end the run it warns of."""
        if line["event"] != "cleared":
            self._tell(f"{line['what']}: {line['remedy']}")
        try:
            self._alarm_log.add(line)
        except StorageFault as error:
            self._warn(f"{error.what}: the log of alarms has gaps")


def _told(archive: Path, alive: Callable[[], object]) -> Iterator[Localizations]:
    """Yield a table in parts, and say between them that we live."""
    for table in table_parts(archive):
        alive()
        yield table
