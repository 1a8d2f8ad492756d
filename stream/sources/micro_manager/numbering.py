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
WINDOW, LEAST_INTERVALS, LATER = 63, 15, 3
SCATTERS = 8
"""So many median deviations from the median are no accident, where a busy computer makes all intervals scatter."""


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
    """Looks for frames that came too long after the one before, and were not made up for by the next few.

    Times are those of the driver where it gives them, else of the core: then a busy computer looks like a gap as well,
    and only where the camera has a clock of its own do the frames after it come sooner.

    Parameters
    ----------
    factor : float
        So many times the median of the last intervals is too long, if they do not scatter as much anyway.
    suspicious : dict of str to Ranges
        Where such frames are noted.
    """

    def __init__(self, factor: float, suspicious: dict[str, Ranges]) -> None:
        self._factor, self._suspicious = factor, suspicious
        self._reason = f"came later than {factor:g} times the median interval"
        self._recent: deque[float] = deque(maxlen=WINDOW)
        self._frames: deque[tuple[int, float]] = deque(maxlen=2 + LATER)
        self._usual_s, self._longest_s, self._until_learned = nan, nan, LEAST_INTERVALS

    def time_s(self, index: int, tags: Mapping[str, Any]) -> float:
        """Return the camera's time of a frame, nan if there is none, and judge an interval a few frames ago."""
        try:
            time_s = float(tags[TIME_MS]) / 1000
        except (KeyError, ValueError):
            return nan
        if self._frames and time_s > self._frames[-1][1]:
            self._recent.append(time_s - self._frames[-1][1])
            self._learn()
        self._frames.append((index, time_s))
        if len(self._frames) == 2 + LATER:
            self._judge()
        return time_s

    def _judge(self) -> None:
        (_, before_s), (index, time_s) = self._frames[0], self._frames[1]
        late = time_s - before_s > self._longest_s
        if late and self._frames[-1][1] - before_s > self._longest_s + LATER * self._usual_s:
            self._suspicious.setdefault(self._reason, Ranges()).add(index)

    def _learn(self) -> None:
        """Find now and then what is too long: it changes slowly, and frames come fast."""
        self._until_learned -= 1
        if not self._until_learned:
            self._usual_s = median(self._recent)
            scatter_s = median(abs(interval - self._usual_s) for interval in self._recent)
            self._longest_s = max(self._factor * self._usual_s, self._usual_s + SCATTERS * scatter_s)
            self._until_learned = LEAST_INTERVALS
