"""How the run is doing: rates over the last seconds, latencies, queues, and where every frame is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from math import isnan, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.guard.verdict import SEVERITY, Verdict
from stream.books.latency import Latencies
from stream.books.ledger import Ledger

WINDOW_S = 3.0


class Rate:
    """Events per second over the last `WINDOW_S` seconds.

    Parameters
    ----------
    clock : callable
        Passed in so that a test holds the time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._marks = clock, deque([(clock(), 0)])

    def reach(self, total: int) -> float:
        """Note the running total; return its rate."""
        now = self._clock()
        self._marks.append((now, total))
        while len(self._marks) > 2 and now - self._marks[0][0] > WINDOW_S:
            self._marks.popleft()
        since, before = self._marks[0]
        return (total - before) / (now - since) if now > since else 0.0


class Health:
    """Gathers what the page, the terminal and `run.json` show.

    Parameters
    ----------
    ledger : Ledger
        The run's ledger; read, never written.
    frames : int or None
        Number of frames that will come, if that is known.
    clock : callable
    """

    def __init__(self, ledger: Ledger, frames: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.ledger, self.latency_ms, self._frames = ledger, Latencies(), frames
        self._recent_ms = Latencies()
        self.localizations, self.left_out, self.message, self.optics = 0, 0, "", ""
        self.resolution_nm: float | None = None
        self.precision_nm: float | None = None
        self.guard: Verdict | None = None
        self.outside = 0
        self.image: dict[str, Any] | None = None
        self.prediction: dict[str, Any] | None = None
        self._clock, self._first_s, self._last_s, self._after_first = clock, nan, nan, 0
        self._received, self._analysed, self._located = Rate(clock), Rate(clock), Rate(clock)

    def analysed(self, localizations: int, latency_ms: NDArray[np.float64]) -> None:
        """Count a batch that was published: its localizations, and the latency of each of its frames."""
        self.localizations += localizations
        self.latency_ms.add(latency_ms)
        self._recent_ms.add(latency_ms)
        self._last_s = self._clock()
        if isnan(self._first_s):
            self._first_s = self._last_s
        else:
            self._after_first += len(latency_ms)

    def _overall(self) -> float | None:
        """Return the frames per second from the end of the first batch to that of the last; None before the second."""
        return round(self._after_first / (self._last_s - self._first_s), 2) if self._last_s > self._first_s else None

    def report(self, state: str, ring: dict[str, int]) -> dict[str, Any]:
        """Return the header of a `health` message; plain scalars, lists and mappings.

        `recent_latency_ms` is of the frames since the report before, `latency_ms` of the whole run; `guard` is what
        holds now, None before the guard has looked, and `outside` how many localizations it has flagged. `image` is how
        the image layer is doing, None without one: model, frames seen and left_out, molecules, whether the ring waits;
        `prediction` what is said of the newest one, None before: model, structure, localizations, error, usual_error,
        tiles, doubtful_tiles.

        Parameters
        ----------
        state : {"waiting", "running", "draining", "finished", "interrupted", "fault"}
        ring : {"slots", "used"}
        """
        totals = self.ledger.summary()
        recent_ms, self._recent_ms = self._recent_ms.summary(), Latencies()
        rates = {
            "received": self._received.reach(totals["received"]),
            "analysed": self._analysed.reach(totals["analysed"]),
        }
        return {
            "state": state,
            "frames": self._frames,
            "frames_per_s": {name: round(rate, 2) for name, rate in rates.items()},
            "analysing_frames_per_s": self._overall(),
            "localizations_per_s": round(self._located.reach(self.localizations), 1),
            "localizations": self.localizations,
            "left_out": self.left_out,
            "latency_ms": self.latency_ms.summary(),
            "recent_latency_ms": recent_ms,
            "ring": ring,
            "spooled_frames": self.ledger.spilled.difference(self.ledger.ringed).total,
            "lag_frames": totals["lag"],
            "ledger": totals,
            "optics": self.optics,
            "guard": None if self.guard is None else _guard(self.guard),
            "outside": self.outside,
            "image": self.image,
            "prediction": self.prediction,
            "resolution_nm": self.resolution_nm,
            "precision_nm": self.precision_nm,
            "message": self.message,
        }


def _guard(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as it is plotted and alarmed of; its findings are in the topic `guard`."""
    return {
        "verdict": verdict.word, "severity": SEVERITY[verdict.word], "cause": verdict.cause, "remedy": verdict.remedy,
        "molecules": verdict.molecules,
    }  # fmt: skip
