"""From a frame's tags to its index, and what the tags tell of frames that are not there.

Micro-Manager numbers images when they enter its buffer: a frame that the driver lost has no number, and leaves no gap.
So its numbers show what the buffer lost, and the camera's own counter, where the adapter hands it on, all the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import nan
from statistics import median
from typing import Any

from stream.books.ranges import Ranges
from stream.errors import FrameFormatError

IMAGE_NUMBER, TIME_MS = "ImageNumber", "ElapsedTime-ms"
BUFFER_GAP = "gap in Micro-Manager's image numbers"
RESTARTED = "the numbers began anew: the sequence was restarted"
WINDOW, LEAST_INTERVALS = 63, 15


class Numbering:
    """Gives each frame its absolute index.

    Parameters
    ----------
    counter_tag : str or None
        Tag with the camera's own number; None: Micro-Manager's.
    missing : dict of str to Ranges
        Where gaps are noted that the ledger cannot see for itself.
    suspicious : dict of str to Ranges
        Where frames are noted before which something may have been lost.
    """

    def __init__(self, counter_tag: str | None, missing: dict[str, Ranges], suspicious: dict[str, Ranges]) -> None:
        self._tag, self._missing, self._suspicious = counter_tag or IMAGE_NUMBER, missing, suspicious
        self._own = counter_tag is not None
        self._offset: int | None = None
        self._last = -1

    def index(self, tags: Mapping[str, Any]) -> int:
        """Return the index of the next frame.

        Raises
        ------
        FrameFormatError
            It has no number.
        """
        number = self._number(tags)
        if self._offset is None:  # the camera's counter may begin anywhere; the buffer's begins at 0
            self._offset = -number if self._own else 0
        index = number + self._offset
        if index < self._last or (index == self._last and not self._own):
            self._offset, index = self._last + 1 - number, self._last + 1
            self._suspicious.setdefault(RESTARTED, Ranges()).add(index)
        elif index > self._last + 1 and not self._own:
            self._missing.setdefault(BUFFER_GAP, Ranges()).add(self._last + 1, index - 1)
        self._last = max(index, self._last)
        return index

    def _number(self, tags: Mapping[str, Any]) -> int:
        try:
            return int(float(tags[self._tag]))
        except (KeyError, ValueError):
            raise FrameFormatError(
                f"the frame after index {self._last} has {self._tag} = {tags.get(self._tag)!r}",
                limit=f"its tags are {', '.join(sorted(tags))[:500]}",
                remedy="name a tag that holds a number in [source] counter_tag, or leave it out",
            ) from None


class Intervals:
    """Looks for frames that came too long after the one before.

    Times are those of the driver where it gives them, else of the core: then a busy computer looks like a gap as well.

    Parameters
    ----------
    factor : float
        So many times the median of the last intervals is too long.
    suspicious : dict of str to Ranges
        Where such frames are noted.
    """

    def __init__(self, factor: float, suspicious: dict[str, Ranges]) -> None:
        self._factor, self._suspicious = factor, suspicious
        self._reason = f"came later than {factor:g} times the median interval"
        self._recent: deque[float] = deque(maxlen=WINDOW)
        self._last_s, self._median_s, self._next_median = nan, nan, LEAST_INTERVALS

    def time_s(self, index: int, tags: Mapping[str, Any]) -> float:
        """Return the camera's time of a frame, nan if there is none, and judge the interval before it."""
        try:
            time_s = float(tags[TIME_MS]) / 1000
        except (KeyError, ValueError):
            return nan
        interval, self._last_s = time_s - self._last_s, time_s
        if interval > self._factor * self._median_s:
            self._suspicious.setdefault(self._reason, Ranges()).add(index)
        if interval > 0:
            self._recent.append(interval)
            self._learn()
        return time_s

    def _learn(self) -> None:
        """Take the median again now and then: it changes slowly, and frames come fast."""
        self._next_median -= 1
        if not self._next_median:
            self._median_s, self._next_median = median(self._recent), LEAST_INTERVALS
