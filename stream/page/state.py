"""What the page shows of a run: the newest of everything, kept for browsers that come late.

The page reads these fields of the run's headers; one that is absent is shown as unknown.

| topic | fields |
|---|---|
| `start` | `stream` {height_px, width_px, frames, description}, `pixel_size_nm`, `rig`, `card`, `engine` (runtime and device, in words), `warnings` (lines) |
| `health` | `state` (waiting, running, draining, finished, interrupted, fault), `message`, `frames_per_s` {received, analysed}, `localizations_per_s`, `localizations`, `latency_ms` {p50, p99, max}, `ring` {slots, used}, `spooled_frames`, `lag_frames`, `ledger` {received, ringed, spilled, analysed, written, published, skipped {reason: n}, missing {reason: n}, suspicious {reason: n}, refused {reason: n}, unaccounted, verifiable}, `recent_latency_ms` {p50, p99}, `alarms` [{name, since_s, level, what, remedy}], `guard` {severity}, `outside`, `image` and `prediction` (what is said of these pictures, or null) |
| `statistics` | `localizations_per_frame`, `density_per_um2`, `on_time_frames`, `median` {column: value}, `histograms` {column: {low, high, logarithmic, now, all}}, `trained` {what: [low, high]}, `start` {column: value} |
| `drift` | `method`, `frames`, `drift_nm` [[x, y, z or null]], `remark` |
| `resolution` | `frame`, `localizations`, `frc_nm`, `frc_caveat`, `frc_curve` {frequency_per_um, correlation}, `nena_nm`, `subpixel` {x, y, verdict, flat} |
| `traces` | `spots`, `counted` [n], `population` [share], `lit`, `median_snr`, `median_step_e`, `examples` [{steps, probability, frame [], light_e []}] |
| `guard` | `verdict`, `cause`, `remedy`, `molecules`, `findings` [{name, word, cause, remedy}] |
| `residual` | `shape`, `z_nm`, `molecules` [of each z], `enough`, `pixel_nm` |
| `end` | `state`, `message` where they differ from the last `health` |
| `phase` | `source`, `psf_epoch`, `sigma`, `rms_error_waves`, `change_waves`, `change_sigma_waves`, `molecules`, `reason` |
| `psf` | `shape`, `psf_epoch`, `z_nm`, `pixel_nm` |
| `action` | `time`, `kind`, `frame`, `why`, `old`, `new`, `read_back`, `dry_run` |
"""  # noqa: E501

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from math import inf
from typing import Any, NamedTuple

import numpy as np

from stream.links.messages import LAYER_TOPICS, PICTURE_TOPICS, Message
from stream.page.optics_history import OpticsHistory
from stream.page.traces import Traces

TOPICS = (
    "start",
    "end",
    "tile",
    "frame",
    "found",
    "sum",
    "health",
    "statistics",
    "drift",
    "resolution",
    "traces",
    "guard",
    "residual",
    "phase",
    "psf",
    "action",
)
OVER = ("finished", "interrupted", "fault")
ACTIONS = 200
"""So many of the newest are listed; all of them are in `actions.jsonl`."""
TRACED: dict[str, dict[str, tuple[str, ...]]] = {
    "health": {
        "received": ("frames_per_s", "received"), "analysed": ("frames_per_s", "analysed"),
        "localizations_per_s": ("localizations_per_s",), "p50": ("recent_latency_ms", "p50"),
        "p99": ("recent_latency_ms", "p99"), "lag": ("lag_frames",),
        "guard": ("guard", "severity"),
    },
    "statistics": {
        "per_frame": ("localizations_per_frame",), "density": ("density_per_um2",), "on_time": ("on_time_frames",),
        "photons": ("median", "photons"), "background": ("median", "background"), "z": ("median", "z_nm"),
        "sigma_x": ("median", "sigma_x_nm"), "sigma_y": ("median", "sigma_y_nm"), "sigma_z": ("median", "sigma_z_nm"),
        "spot": ("median", "spot_sigma_nm"),
    },
    "resolution": {"frc": ("frc_nm",), "nena": ("nena_nm",)},
    "action": {"power": ("new",)},
}  # fmt: skip
"""What is plotted over time, by topic: its name there and where it is in the header."""


class Key(NamedTuple):
    """What a message replaces: the one before of its topic, and of its place for tiles; level 0 is the first PSF."""

    topic: str
    level: int = 0
    row: int = 0
    column: int = 0


class RunState:
    """The newest message of each key, and how the numbers went since the start of the run.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    newest : dict
        Key to message.
    coarsest : Counter
        The level of the pyramid that has a single tile, by topic for pictures of their own, else under "tile".
    actions : deque of dict
        What was done to the microscope, the newest last.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.newest: dict[Key, Message] = {}
        self.coarsest: Counter[str] = Counter()
        self._run_id = ""
        self._forget_traces()

    def take(self, message: Message) -> Key:
        """Keep a message; return what it replaces. The first one of another run clears what is known of the last."""
        header = message.header
        if header["run_id"] != self._run_id:
            self._run_id = header["run_id"]
            self.newest.clear()
            self._forget_traces()
            self.coarsest.clear()
        self._note_time(header)
        key = Key(message.topic)
        if message.topic == "tile" or message.topic in LAYER_TOPICS:
            key = Key(message.topic, header["level"], header["row"], header["column"])
            pyramid = _pyramid_of(message.topic)
            self.coarsest[pyramid] = max(self.coarsest[pyramid], key.level)
        elif message.topic == "phase":
            assert isinstance(message.payload, np.ndarray)
            self._optics.add(message.payload, header["run_s"])
        elif message.topic == "psf":
            key = Key("psf", min(header["psf_epoch"], 1))
        elif message.topic == "action":
            self.actions.append(header)
        if message.topic in TRACED:
            self._trace(message.topic, header)
        self.newest[key] = message
        return key

    def forget(self, topic: str) -> None:
        """Drop what is known of a layer that is no longer followed: it would not be the newest for long."""
        for key in [key for key in self.newest if key.topic == topic]:
            del self.newest[key]

    def is_coarsest(self, key: Key) -> bool:
        """Return whether a tile is of the level that has a single one."""
        return key.level == self.coarsest[_pyramid_of(key.topic)]

    def is_known(self, message: Message) -> bool:
        """Return whether a message is of the run that is shown."""
        return bool(message.header["run_id"] == self._run_id)

    @property
    def now_s(self) -> float:
        """The time of the run, in seconds since it began; it stands still once the run is over."""
        return self._newest_s if self._is_over else self._newest_s + self._clock() - self._noted_s

    def health_age_s(self) -> float:
        """Return how long ago the run last gave a sign of life."""
        return self._clock() - self._health_s

    def optics(self) -> list[dict[str, Any]]:
        """Return the pupil since the start of the run, the oldest first, each with its `age_s`."""
        return self._optics.samples(self.now_s)

    def sample(self, topic: str, header: dict[str, Any]) -> dict[str, float | None]:
        """Return what is plotted of a header."""
        return self._traces[topic].sample(header)

    def history(self) -> dict[str, Any]:
        """Return what is plotted, by topic and span of time."""
        return {topic: traces.content(self.now_s) for topic, traces in self._traces.items()}

    def _forget_traces(self) -> None:
        self._traces, self._health_s = {topic: Traces(fields) for topic, fields in TRACED.items()}, -inf
        self.actions: deque[dict[str, Any]] = deque(maxlen=ACTIONS)
        self._optics = OpticsHistory()
        self._newest_s, self._noted_s, self._is_over = 0.0, self._clock(), False

    def _trace(self, topic: str, header: dict[str, Any]) -> None:
        self._traces[topic].add(header, header["run_s"])
        if topic == "health":
            self._health_s = self._clock()
            self._is_over = header.get("state") in OVER

    def _note_time(self, header: dict[str, Any]) -> None:
        """Note how late it is in the run.

        Decision: plots go by the run's own time. Context: a finished run is published again within seconds, and a page
        that was slow gets old messages late. Consequence: both show what was when.
        """
        if header["run_s"] >= self._newest_s:
            self._newest_s, self._noted_s = header["run_s"], self._clock()


def _pyramid_of(topic: str) -> str:
    """Return whose levels a tile has: those of a picture of its own, or those of the density."""
    return topic if topic in PICTURE_TOPICS else "tile"
