"""The slow lane: a process of its own that refines the pupil, so that the frames never wait for it.

    with phase_process.start(task) as process:
        if process.idle:
            process.send(molecules, time_s)    # the newest, or a stack of beads
        answer = process.poll()                # None while it works

It yields to everything else on the machine. When it dies, localization goes on with the spots of its last answer.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Self

from models.aberrations.from_beads import BeadStack, state_of
from models.aberrations.molecules import Molecules
from models.aberrations.watch import Estimate, Known, OpticsWatch
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.scenes.optics import MASKS
from stream.child import end, one_thread

NICENESS = 10
CLOSE_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Task:
    """What is known of the optics, as plain values: it crosses the process boundary.

    Parameters
    ----------
    objective : Objective
    mask : str
        Key of `models.scenes.optics.MASKS`.
    zernike_waves : dict of Noll index to float
    height_nm, blur_nm, pixel_size_nm, half_depth_nm : float
    window_px, spot_px : int
    sigma_waves, wander_waves : float
        As in `Known`.
    """

    objective: Objective
    pixel_size_nm: float
    half_depth_nm: float
    mask: str = "none"
    zernike_waves: dict[int, float] = field(default_factory=dict)
    height_nm: float = 0.0
    blur_nm: float = 0.0
    window_px: int = 21
    spot_px: int = 31
    sigma_waves: float = 0.03
    wander_waves: float = 0.001

    def known(self) -> Known:
        """Return it as the watch takes it."""
        setup = Setup(
            self.objective, self.zernike_waves, MASKS[self.mask], height_nm=self.height_nm, blur_nm=self.blur_nm
        )
        return Known(
            setup, self.pixel_size_nm, self.window_px, self.spot_px, self.half_depth_nm, self.sigma_waves,
            self.wander_waves,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """An estimate, or None if there was no bead to use; and the seconds of a processor that it took."""

    estimate: Estimate | None
    seconds: float


class PhaseProcessDied(Exception):
    """The process is gone; the message says with which exit code."""


def start(task: Task) -> PhaseProcess:
    """Start the process."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=main, args=(task, theirs), name="livesmlm-phase", daemon=True)
    with one_thread():
        process.start()
    theirs.close()  # so that the pipe ends when the process does
    return PhaseProcess(process, ours, task.window_px)


class PhaseProcess:
    """A running process. Use as a context manager: it never outlives the block.

    Attributes
    ----------
    idle : bool
        Whether it waits for molecules.
    window_px : int
        Edge of their crops.
    """

    def __init__(self, process: SpawnProcess, connection: Connection, window_px: int) -> None:
        self._process, self._connection, self.idle, self.window_px = process, connection, True, window_px

    def send(self, seen: Molecules | BeadStack, time_s: float) -> None:
        """Hand over molecules or beads, and when they shone; only while it is idle. Raises PhaseProcessDied."""
        assert self.idle, "the process has not answered yet"
        try:
            self._connection.send((seen, time_s))
        except OSError as error:
            raise self._died() from error
        self.idle = False

    def poll(self, wait_s: float = 0.0) -> Answer | None:
        """Return its answer, if there is one within `wait_s`. Raises PhaseProcessDied."""
        try:
            if not self._connection.poll(wait_s):
                return None
            answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._died() from error
        assert isinstance(answer, Answer)
        self.idle = True
        return answer

    def _died(self) -> PhaseProcessDied:
        self._process.join(CLOSE_WITHIN_S)
        return PhaseProcessDied(f"the process that watches the optics died (exit code {self._process.exitcode})")

    def close(self) -> None:
        """End the process. May be called more than once."""
        if self._connection.closed:
            return
        self._connection.close()
        self._process.terminate()
        end(self._process, CLOSE_WITHIN_S)
        self._process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def main(task: Task, connection: Connection) -> None:
    """Be the process. Ctrl-C is ignored: main decides when the run ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    known = task.known()
    watch = OpticsWatch(known)
    with suppress(EOFError, OSError):  # main is gone
        while True:
            seen, time_s = connection.recv()
            began = time.process_time()
            estimate = (
                _by_beads(watch, known, seen, time_s) if isinstance(seen, BeadStack) else watch.take(seen, time_s)
            )
            connection.send(Answer(estimate, time.process_time() - began))


def _by_beads(watch: OpticsWatch, known: Known, seen: BeadStack, time_s: float) -> Estimate | None:
    from stream.phase_network import phase_network  # molecules need no network

    network = phase_network(known.setup.objective, known.pixel_size_nm)
    state = state_of(seen, known, network.start if network else None)
    return None if state is None else watch.take_state(state, time_s)
