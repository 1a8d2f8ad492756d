"""What the page shows of a run: the newest of everything, kept for browsers that come late.

The page reads these fields of the run's headers; one that is absent is shown as unknown.

| topic | fields |
|---|---|
| `start` | `stream` {height_px, width_px, frames, description}, `pixel_size_nm`, `rig`, `card`, `engine` (runtime and device, in words), `warnings` (lines) |
| `health` | `state` (waiting, running, draining, finished, interrupted, fault), `message`, `frames_per_s` {received, analysed}, `localizations_per_s`, `localizations`, `latency_ms` {p50, p99, max}, `ring` {slots, used}, `spooled_frames`, `lag_frames`, `ledger` {received, ringed, spilled, analysed, written, published, skipped {reason: n}, missing {reason: n}, suspicious {reason: n}, refused {reason: n}, unaccounted, verifiable} |
| `end` | `state`, `message` where they differ from the last `health` |
| `phase` | `source`, `psf_epoch`, `sigma`, `rms_error_waves`, `change_waves`, `change_sigma_waves`, `molecules` |
| `psf` | `shape`, `psf_epoch`, `z_nm`, `pixel_nm` |
| `action` | `time`, `kind`, `frame`, `why`, `old`, `new`, `read_back`, `dry_run` |
"""  # noqa: E501

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from stream.links.messages import Message
from stream.page.optics_history import OpticsHistory

TOPICS = ("start", "end", "tile", "frame", "health", "phase", "psf", "action")
HISTORY_S = 120.0
ACTIONS = 200
"""So many of the newest are listed; all of them are in `actions.jsonl`."""
PLOTTED = ("frames_per_s", "localizations_per_s", "latency_ms", "lag_frames")


class Key(NamedTuple):
    """What a message replaces: the one before of its topic, and of its place for tiles; level 0 is the first PSF."""

    topic: str
    level: int = 0
    row: int = 0
    column: int = 0


class RunState:
    """The newest message of each key, and the health of the last two minutes.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    newest : dict
        Key to message.
    coarsest : int
        The level of the pyramid that has a single tile.
    actions : deque of dict
        What was done to the microscope, the newest last.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.newest: dict[Key, Message] = {}
        self.coarsest = 0
        self._run_id = ""
        self._history: deque[tuple[float, dict[str, Any]]] = deque()
        self.actions: deque[dict[str, Any]] = deque(maxlen=ACTIONS)
        self._optics = OpticsHistory()

    def take(self, message: Message) -> Key:
        """Keep a message; return what it replaces. The first one of another run clears what is known of the last."""
        header = message.header
        if header["run_id"] != self._run_id:
            self._run_id = header["run_id"]
            self.newest.clear()
            self._history.clear()
            self.actions.clear()
            self._optics = OpticsHistory()
            self.coarsest = 0
        key = Key(message.topic)
        if message.topic == "tile":
            key = Key("tile", header["level"], header["row"], header["column"])
            self.coarsest = max(self.coarsest, key.level)
        elif message.topic == "health":
            self._remember(header)
        elif message.topic == "phase":
            assert isinstance(message.payload, np.ndarray)
            self._optics.add(message.payload, self._clock())
        elif message.topic == "psf":
            key = Key("psf", min(header["psf_epoch"], 1))
        elif message.topic == "action":
            self.actions.append(header)
        self.newest[key] = message
        return key

    def health_age_s(self) -> float:
        """Return how long ago the run last gave a sign of life."""
        return self._clock() - self._history[-1][0]

    def optics(self) -> list[dict[str, Any]]:
        """Return the pupil since the start of the run, the oldest first, each with its `age_s`."""
        return self._optics.samples(self._clock())

    def history(self) -> list[dict[str, Any]]:
        """Return what is plotted, the oldest first, each sample with its `age_s`."""
        now = self._clock()
        return [{"age_s": now - at, **sample} for at, sample in self._history]

    def _remember(self, header: dict[str, Any]) -> None:
        now = self._clock()
        self._history.append((now, {name: header.get(name) for name in PLOTTED}))
        while now - self._history[0][0] > HISTORY_S:
            self._history.popleft()
