"""How numbers went since the start of the run: the last minutes in full, the rest thinned, whatever the run lasts.

Three spans are kept side by side: two minutes, half an hour, and the whole run. A bucket of time holds mean, lowest and
highest of what fell into it, so that a short spike is seen ten hours later. The browser does the same (`traces.js`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

SPANS = {"recent": (0.5, 120.0), "middle": (3.0, 1800.0), "whole": (3.0, None)}
"""Width of a bucket and how far back it goes, in seconds; the whole run's buckets grow."""
MOST = 1200
"""Buckets of the whole run; with one more, two become one."""
DIGITS = 4


@dataclass(slots=True)
class _Bucket:
    """What fell into a stretch of time, one value per field; nan where nothing did."""

    index: int
    count: int
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def join(self, other: _Bucket) -> None:
        share = other.count / (self.count + other.count)
        both = self.mean + (other.mean - self.mean) * share
        self.mean = np.where(np.isnan(self.mean), other.mean, np.where(np.isnan(other.mean), self.mean, both))
        self.low, self.high = np.fmin(self.low, other.low), np.fmax(self.high, other.high)
        self.count += other.count


class Span:
    """Buckets of one width.

    Parameters
    ----------
    step_s : float
        Width of a bucket.
    length_s : float or None
        What is older is forgotten; None: buckets are joined instead.
    """

    def __init__(self, step_s: float, length_s: float | None) -> None:
        self.step_s, self._length_s = step_s, length_s
        self.buckets: deque[_Bucket] = deque()

    def add(self, at_s: float, values: NDArray[np.float64]) -> None:
        """Take a sample; they come in order of time."""
        bucket = _Bucket(int(at_s // self.step_s), 1, values, values, values)
        self._append(bucket)
        if self._length_s is not None:
            while (bucket.index - self.buckets[0].index) * self.step_s > self._length_s:
                self.buckets.popleft()
        elif len(self.buckets) > MOST:
            self._widen()

    def _append(self, bucket: _Bucket) -> None:
        if self.buckets and self.buckets[-1].index == bucket.index:
            self.buckets[-1].join(bucket)
        else:
            self.buckets.append(bucket)

    def _widen(self) -> None:
        old, self.buckets, self.step_s = self.buckets, deque(), 2 * self.step_s
        for bucket in old:
            bucket.index //= 2
            self._append(bucket)


class Traces:
    """The spans of some fields.

    Parameters
    ----------
    fields : mapping of name to path
        Where in a header each number is.
    """

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._fields = fields
        self._spans = {name: Span(*span) for name, span in SPANS.items()}

    def sample(self, header: Mapping[str, Any]) -> dict[str, float | None]:
        """Return the numbers of a header by the names of the fields; None where there is none."""
        return {name: _number(header, path) for name, path in self._fields.items()}

    def add(self, header: Mapping[str, Any], at_s: float) -> None:
        """Take a header; `at_s` is when it came (monotonic)."""
        found = [np.nan if value is None else value for value in self.sample(header).values()]
        for span in self._spans.values():
            span.add(at_s, np.array(found))

    def content(self, now_s: float) -> dict[str, Any]:
        """Return the spans as a browser takes them: per bucket its age and count, per field mean, low and high."""
        return {name: self._packed(span, now_s) for name, span in self._spans.items()}

    def _packed(self, span: Span, now_s: float) -> dict[str, Any]:
        buckets = list(span.buckets)
        columns = {
            name: {part: [_short(getattr(bucket, part)[k]) for bucket in buckets] for part in ("mean", "low", "high")}
            for k, name in enumerate(self._fields)
        }
        ages = [round(now_s - bucket.index * span.step_s, 2) for bucket in buckets]
        return {"step_s": span.step_s, "age_s": ages, "count": [bucket.count for bucket in buckets], "fields": columns}


def _number(header: Mapping[str, Any], path: Sequence[str]) -> float | None:
    value: Any = header
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) and isfinite(value) else None


def _short(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if isfinite(value) else None
