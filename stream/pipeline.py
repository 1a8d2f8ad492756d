"""Wiring only: start, stop, first error raised.

    waiting -> running -> draining -> finished
                  |           |
                  +-----------+--> interrupted | fault

waiting: the camera is opened and the engine warmed up. running: frames are analysed as they come. draining: the
camera was asked to stop, what waits in ring and spool is still analysed. Every way out closes the tables and writes
the picture and the ledger of what was analysed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stream import output
from stream.acquisition import acquire, recorder
from stream.acquisition.batcher import Batcher
from stream.acquisition.recorder import RECORD, Recording
from stream.acquisition.ring_memory import Kind
from stream.acquisition.source_process import ANALYSE
from stream.analysis import Analysis
from stream.books.health import Health
from stream.books.json_lines import ACTIONS, JsonLines
from stream.books.optics_log import OpticsLog
from stream.books.statistics import Statistics
from stream.books.story import Story
from stream.books.verdicts import Verdicts
from stream.config import Rig
from stream.engine import Engine
from stream.errors import LiveSMLMError
from stream.feedback.steering import Steering, left_behind, refuse_without_devices
from stream.frame import Batch, StreamInfo
from stream.images.published import WithPictures
from stream.images.settings import image_reader
from stream.interrupt import Interrupts
from stream.opening import source_of
from stream.outcome import Outcome
from stream.page.address import PageAddress
from stream.page.process import start_page
from stream.picture import image, residual_file
from stream.picture.background import BackgroundMap
from stream.picture.layers import IMAGE
from stream.picture.previews import Previews
from stream.picture.render import Renderer
from stream.preparation import doubts, make_localizer, warm_up
from stream.psf_at_start import psf_at_start
from stream.rig_against_card import compare
from stream.run_info import describe, facts
from stream.sink import Sink
from stream.sinks import SINKS
from stream.sinks.linked import Linked
from stream.sinks.zmq_out import ZmqOut
from stream.suitability import outside, refuse_unsuitable
from stream.watchers import Watchers

if TYPE_CHECKING:
    from stream.images.layer import ImageLayer
    from stream.stages.slow_lane import SlowLane

REPORT_EVERY_S = 0.5


class View(Protocol):
    """Whoever follows a run: the terminal, or a test."""

    def say(self, text: str) -> None:
        """Hear what is going on."""

    def warn(self, text: str) -> None:
        """Hear what was assumed or looks wrong."""

    def report(self, health: dict[str, Any]) -> None:
        """Get a `health` message, twice a second."""


class Pipeline:
    """One run from the rig to the results.

    Parameters
    ----------
    rig : Rig
    folder : Path
        Output folder; must be new or empty.
    view : View
    frames : int or None
        Stop after this many frames.
    page : PageAddress or None
        Where the live page is served; None for no page.
    clock : callable
        The host clock.
    """

    def __init__(
        self,
        rig: Rig,
        folder: Path,
        view: View,
        frames: int | None = None,
        page: PageAddress | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rig, self._folder, self._view, self._clock = rig, folder, view, clock
        self._frames, self._page = frames, page
        self._state, self._next_report_s = "waiting", 0.0
        self._told: set[str] = set()
        self._stack = ExitStack()

    def run(self, engine: Engine) -> Outcome:
        """Do the whole run with an engine that is open; closes the engine.

        Raises
        ------
        InputError
            Something is wrong before the first frame; nothing was started.
        """
        with self._stack:
            self._stack.callback(engine.close)
            refuse_unsuitable(self._rig, engine.card)
            output.create(self._folder)
            self._connect(engine)
            with Interrupts() as self._interrupts:
                error = self._until_the_end()
            return self._finish(error)

    def _connect(self, engine: Engine) -> None:
        """Open everything that can fail, the camera first, before the first frame is taken."""
        rig, policy = self._rig, self._rig.policy
        readers: dict[str, Kind] = {RECORD: "lossless"} if policy.record else {}
        readers |= image_reader(rig.image)
        self._acquisition = self._stack.enter_context(
            acquire.start(
                partial(source_of, rig, self._frames), policy.overload,
                ring_bytes=int(policy.ring_mb * 1e6), folder=self._folder, readers=readers,
                after=left_behind(rig.activation),
            )
        )  # fmt: skip
        refuse_without_devices(rig.activation, self._acquisition.actuates)
        info = self._acquisition.info
        self._compared = compare(rig, engine.card)
        self._warnings = [*rig.assumed(), *doubts(rig, info), *outside(self._compared, engine.card)]
        self._engine = engine
        for warning in self._warnings:
            self._view.warn(warning)
        self._info = describe(rig, engine, info, self._folder, self._warnings)
        self._files: list[Sink] = [sink() for sink in SINKS.values()]
        if rig.link.max_distance_nm is not None:
            self._files.append(Linked(rig.link))
        self._story = Story(self._folder, self._view.warn)
        self._publisher = ZmqOut(rig.publish, self._clock, self._story.keep)
        for sink in (*self._files, self._publisher):
            self._stack.callback(sink.close)
            sink.open(self._info)
        self._steering = Steering(
            rig.activation,
            rig.stop,
            self._acquisition,
            JsonLines(self._folder / ACTIONS),
            self._publisher.action,
            self._warn,
        )
        self._open_page()
        self._recorder: Recording | None = None
        if policy.record:
            path = self._folder / "frames.ome.zarr"
            ring, pixel_nm = self._acquisition.ring.name, rig.camera.pixel_size_nm
            self._recorder = self._stack.enter_context(recorder.start(ring, path, info, pixel_nm))
        self._image = self._start_image(info)
        self._analysis = self._make_analysis(engine, info)
        drawn = {} if self._image is None else {IMAGE: self._image.pyramid}
        layers = WithPictures(self._renderer.layers, drawn | self._watchers.pictures)
        self._publisher.follow(self._renderer.changed, layers)
        if self._image is not None:
            self._tell_image(self._image.await_ready())

    def _start_image(self, info: StreamInfo) -> ImageLayer | None:
        if self._rig.image.model is None:
            return None
        from stream.images import layer  # where it is wanted

        if self._rig.image.frames == "all":
            self._warn(layer.WAITS_FOR_ALL)
        return self._stack.enter_context(layer.start(self._rig, info, self._acquisition.ring))

    def _open_page(self) -> None:
        if self._page is not None:
            out, certificate = self._publisher, self._rig.publish.certificate
            page = start_page(out.address, out.snapshot_address, self._page, certificate)
            self._stack.callback(page.stop)
            self._view.say(f"live page: [bold]{page.url}[/]")
            if self._page.caution:
                self._view.warn(self._page.caution)

    def _make_analysis(self, engine: Engine, info: StreamInfo) -> Analysis:
        rig, pixel_nm = self._rig, self._rig.camera.pixel_size_nm
        self._renderer = Renderer.of_field(info, pixel_nm, rig.render, self._info.channels)
        self._health = Health(self._acquisition.ledger, info.frames, self._clock)
        self._verdicts = Verdicts(self._folder)
        previews = Previews(info.height_px, info.width_px, self._publisher, self._clock)
        self._watchers = Watchers(
            rig, info, self._folder, self._renderer, self._publisher, self._steering, self._health,
            lambda: previews.sum, self._stack, self._view.warn, self._warn, self._clock,
        )  # fmt: skip
        localizer = make_localizer(rig, engine, info)
        warm_up(localizer, info, rig.policy.batch_frames, rig.engine.processes)
        if (psf := psf_at_start(rig, engine.card)) is not None:
            self._publisher.psf(psf, epoch=0)
        return Analysis(
            make_localizer(rig, engine, info, self._slow_lane(engine)), self._renderer,
            BackgroundMap(info.height_px, info.width_px, pixel_nm),
            previews, self._files, self._publisher, self._acquisition.ledger, self._health,
            OpticsLog(self._folder), self._verdicts,
            Statistics(info, pixel_nm, engine.card.sample_space), self._watchers.see, self._watchers.hear,
            self._watchers.drift,
            self._clock,
        )  # fmt: skip

    def _slow_lane(self, engine: Engine) -> SlowLane | None:
        if self._rig.phase.mode == "off":
            return None
        from stream.optics import phase_task
        from stream.stages import phase_process

        return self._stack.enter_context(phase_process.start(phase_task(self._rig, engine.card)))

    def _until_the_end(self) -> LiveSMLMError | None:
        """Analyse until no frame follows; return what ended it, if something did."""
        policy = self._rig.policy
        batcher = Batcher(
            self._acquisition.ring.reader(ANALYSE),
            policy.batch_frames,
            policy.deadline_ms / 1000,
            self._clock,
            lambda wait_s: self._idle(batcher, wait_s),
        )
        try:
            self._state = "running"
            self._steering.begin()
            self._acquisition.go()
            while (batch := batcher.next()) is not None:
                self._take(batch)
                batcher.done(keep=self._analysis.look_ahead_frames)
                self._chores(0.0)
            self._analysis.flush()
            batcher.done()
            if self._recorder is not None:
                self._recorder.join()  # the source process keeps the ring until then
            self._acquisition.join()
        except LiveSMLMError as error:
            return error
        except KeyboardInterrupt:
            self._view.warn("stopped at once; frames that were not analysed are in the spool folder")
        return None

    def _take(self, batch: Batch) -> None:
        self._analysis.take(batch)
        if self._rig.policy.overload == "live":
            self._analysis.tell_skipped()

    def _idle(self, batcher: Batcher, wait_s: float) -> None:
        """No batch is ready: the answers under way need not wait for the next."""
        self._analysis.settle()
        batcher.done(keep=self._analysis.look_ahead_frames)
        self._chores(wait_s)

    def _chores(self, wait_s: float) -> None:
        """Hear the source process, serve the subscribers, and report now and then."""
        self._acquisition.poll(wait_s)
        self._publisher.serve()
        while self._publisher.reports:
            self._steering.note(self._publisher.reports.popleft())
        if self._recorder is not None:
            self._recorder.poll()
            self._note_recorded()
        self._tell_remarks()
        self._watchers.serve()
        if self._image is not None:
            self._tell_image(self._image.poll())
        if (self._steering.serve() or self._interrupts.asked) and self._state == "running":
            self._state = "draining"
            self._acquisition.request_stop()
        if self._clock() >= self._next_report_s:
            self._next_report_s = self._clock() + REPORT_EVERY_S
            self._report()

    def _tell_remarks(self) -> None:
        """Say what engine and source have to say, once, and keep it for run.json; warming up has met with the same."""
        for remarks in (self._engine.remarks, self._acquisition.remarks):
            while remarks:
                remark = remarks.pop(0)
                if remark not in self._warnings:
                    self._warn(remark)

    def _warn(self, text: str) -> None:
        self._view.warn(text)
        self._warnings.append(text)

    def _note_recorded(self) -> None:
        if self._recorder is not None:
            self._acquisition.ledger.recorded.update(self._recorder.recorded)

    def _report(self) -> None:
        self._acquisition.ledger.write(self._folder / "ledger.json")
        self._tell_refused()
        self._view.report(self._publish_health(self._state, self._acquisition.ring.used_slots))

    def _tell_refused(self) -> None:
        for reason in sorted(self._acquisition.ledger.refused.keys() - self._told):
            self._view.warn(f"the source turns frames away and counts them ({reason}); mend the sender or the camera")
            self._told.add(reason)
        for reason in sorted(self._acquisition.ledger.suspicious.keys() - self._told):
            self._warnings.append(f"frames may have been lost and cannot be counted ({reason}); see the ledger")
            self._view.warn(self._warnings[-1])
            self._told.add(reason)

    def _publish_health(self, state: str, used_slots: int) -> dict[str, Any]:
        if self._image is not None:
            self._health.image = self._image.facts(self._acquisition.ledger)
        health = self._health.report(state, {"slots": self._acquisition.ring.slots, "used": used_slots})
        self._analysis.tell_statistics()
        health["alarms"] = self._watchers.alarms(health, self._analysis.statistics, self._analysis.optics)
        self._publisher.health(health)
        self._publisher.serve()
        return health

    def _finish(self, error: LiveSMLMError | None) -> Outcome:
        """Bring everything that was analysed to disk, whatever happened; the first error is the one reported."""
        errors = [] if error is None else [error]
        acquisition = self._acquisition
        steps: list[Callable[[], object]] = [acquisition.close]
        if self._rig.policy.overload == "live":  # else a frame that still waits for its successor goes to the spool
            steps = [self._analysis.flush, acquisition.close, self._analysis.tell_skipped]
        if self._recorder is not None:
            steps[:0] = [self._recorder.join, self._note_recorded]
        if self._image is not None:
            steps[:0] = [self._finish_image]
        steps.append(self._steering.end)
        steps += self._watchers.last_steps(partial(self._publish_health, "draining", 0))
        steps += [sink.close for sink in self._files]
        steps.append(partial(self._watchers.refine_drift, partial(self._publish_health, "draining", 0)))
        drawn = self._renderer.pyramid, self._renderer.planes
        steps += [partial(write, self._folder / name, *drawn) for name, write in image.FILES.items()]
        if (residual := self._analysis.residual) is not None:
            steps.append(partial(residual_file.write, self._folder / residual_file.NAME, residual))
        if self._image is not None:
            steps += [partial(self._image.write, self._folder)]
        for step in steps:
            self._publish_health("draining", 0)  # writing a large picture takes a while: the page must see us alive
            try:
                step()
            except LiveSMLMError as failed:
                errors.append(failed)
        return self._conclude(errors)

    def _finish_image(self) -> None:
        """Let the layer take what waits for it."""
        if self._image is not None:
            self._tell_image(self._image.finish(partial(self._publish_health, "draining", 0)))

    def _tell_image(self, words: str) -> None:
        if words:
            self._warn(words)

    def _conclude(self, errors: list[LiveSMLMError]) -> Outcome:
        ledger, error = self._acquisition.ledger, next(iter(errors), None)
        self._tell_remarks()
        self._state = "fault" if error else "interrupted" if self._interrupts.asked else "finished"
        self._health.message = "\n".join(str(e) for e in errors)
        ended = f"fault: {error.what}" if error else self._state
        health = self._publish_health(self._state, 0)
        self._publisher.end({"state": self._state, "ledger": health["ledger"], "message": self._health.message})
        self._story.close()
        for step in (partial(ledger.write, self._folder / "ledger.json", ended), partial(self._write_run, health)):
            try:
                step()
            except LiveSMLMError as failed:
                error = error or failed
        self._tell_refused()
        self._view.report(health)
        return Outcome(self._state, health, error)

    def _write_run(self, health: dict[str, Any]) -> None:
        info = replace(self._info, warnings=tuple(self._warnings))
        books = {"sample_space": [compared.to_dict() for compared in self._compared], "guard": self._verdicts.summary()}
        results = {"result": health} | books | self._watchers.results()
        output.write_json(self._folder / "run.json", facts(info) | results)
