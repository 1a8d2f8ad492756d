"""Frames that may be missing where nobody counts: intervals between frames that are too long.

Micro-Manager numbers images when they reach its buffer, so a frame that the driver lost leaves no gap. It leaves a
pause, though.
"""

from __future__ import annotations

from collections import deque
from statistics import median

REMEMBERED = 64
SUSPICIOUS = 1.5
"""Times the median interval."""


class Intervals:
    """Looks at the time from each frame to the next."""

    def __init__(self) -> None:
        self._intervals_s: deque[float] = deque(maxlen=REMEMBERED)
        self._before_s: float | None = None

    def suspicious(self, time_s: float) -> bool:
        """Take the camera's time of a frame; say whether one may be missing before it."""
        before, self._before_s = self._before_s, time_s
        if before is None or time_s != time_s:
            return False
        interval = time_s - before
        usual = median(self._intervals_s) if len(self._intervals_s) == REMEMBERED else None
        self._intervals_s.append(interval)
        return usual is not None and interval > SUSPICIOUS * usual
