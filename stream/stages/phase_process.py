"""The slow lane: a process of its own that refines the pupil, so that the frames never wait for it.

    with phase_process.start(task) as process:
        if process.idle:
            process.send(molecules, time_s)    # the newest, or a stack of beads
        answer = process.poll()                # None while it works

When it dies, localization goes on with the spots of its last answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from models.aberrations.from_beads import BeadStack, state_of
from models.aberrations.molecules import Molecules
from models.aberrations.watch import Estimate, Known, OpticsWatch
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.scenes.optics import MASKS
from stream.worker import Worker, work


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


class PhaseProcess(Worker[Estimate]):
    """It answers with an estimate, or None if there was no bead to use.

    Attributes
    ----------
    window_px : int
        Edge of the molecules' crops.
    """

    def __init__(self, task: Task) -> None:
        super().__init__("livesmlm-phase", "watches the optics", main, task)
        self.window_px = task.window_px

    def send(self, seen: Molecules | BeadStack, time_s: float) -> None:
        """Hand over molecules or beads, and when they shone; only while it is idle. Raises WorkerDied."""
        self._hand_over((seen, time_s))


def start(task: Task) -> PhaseProcess:
    """Start the process."""
    return PhaseProcess(task)


def main(task: Task, connection: Connection) -> None:
    """Be the process."""
    known = task.known()
    watch = OpticsWatch(known)

    def take(asked: tuple[Molecules | BeadStack, float]) -> Estimate | None:
        seen, time_s = asked
        return _by_beads(watch, known, seen, time_s) if isinstance(seen, BeadStack) else watch.take(seen, time_s)

    work(connection, take)


def _by_beads(watch: OpticsWatch, known: Known, seen: BeadStack, time_s: float) -> Estimate | None:
    from stream.phase_network import phase_network  # molecules need no network

    network = phase_network(known.setup.objective, known.pixel_size_nm)
    state = state_of(seen, known, network.start if network else None)
    return None if state is None else watch.take_state(state, time_s)
