"""Rules on the run itself: loss, delay, silence of the camera, and room on the disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from stream.books.alarms import Finding, Seen

RECENT_S = 60.0
"""A loss is an alarm for so long after its last frame; the ledger keeps it for good."""
LATE_S, LATE_AGAIN_S, GROWS_OVER_S, GROWS_SHARE = 3.0, 1.5, 10.0, 0.02
"""An analyzer that is so many seconds behind, and falls behind by this share of what comes in, will not catch up."""
SILENT_S, SILENT_FRAMES = 5.0, 20.0
"""A camera is silent after so many seconds, or so many of its usual intervals if that is longer."""
DISK_EVERY_S, DISK_OVER_S, DISK_LEAST_S = 5.0, 120.0, 30.0
DISK_MINUTES, DISK_AGAIN_MINUTES, DISK_RED_MINUTES = 30.0, 45.0, 10.0
"""Half an hour is what it takes to notice, walk over and make room."""
DISK_BYTES, DISK_AGAIN_BYTES = 1e9, 1.5e9
"""Less than this is little, whatever the rate."""


class Growth:
    """A rule that finds something while a count has grown within the last minute.

    Parameters
    ----------
    count : callable
        What is counted, by reason.
    find : callable
        From what has been counted to the finding.
    """

    def __init__(self, count: Callable[[Seen], dict[str, int]], find: Callable[[dict[str, int]], Finding]) -> None:
        self._count, self._find, self._before = count, find, 0
        self._grew_s: float | None = None

    def __call__(self, seen: Seen, raised: bool) -> Finding | None:
        """Return the finding if the count has grown of late."""
        counts = self._count(seen)
        if (total := sum(counts.values())) > self._before:
            self._before, self._grew_s = total, seen.now_s
        if self._grew_s is None or seen.now_s - self._grew_s > RECENT_S:
            return None
        return self._find(counts)


def lost() -> Growth:
    """Return the rule on frames that never became localizations."""

    def count(seen: Seen) -> dict[str, int]:
        ledger = seen.health["ledger"]
        return {f"{kind}: {why}": n for kind in ("skipped", "missing") for why, n in ledger[kind].items()}

    def find(counts: dict[str, int]) -> Finding:
        return Finding(
            "red", f"frames are lost: {_listed(counts)}",
            "skipped: a smaller field, a faster engine, or [policy] overload = 'lossless'; missing: the camera's "
            "buffer, cable or driver loses them: fewer frames/s, close other programs",
        )  # fmt: skip

    return Growth(count, find)


def suspicious() -> Growth:
    """Return the rule on frames before which something may be missing, and on those that are turned away."""

    def count(seen: Seen) -> dict[str, int]:
        ledger = seen.health["ledger"]
        return {why: n for kind in ("suspicious", "refused") for why, n in ledger[kind].items()}

    def find(counts: dict[str, int]) -> Finding:
        return Finding(
            "amber", f"frames may be missing: {_listed(counts)}",
            "watch whether it goes on; then close other programs, check camera and cable, take fewer frames/s",
        )  # fmt: skip

    return Growth(count, find)


def unaccounted(seen: Seen, raised: bool) -> Finding | None:
    """Find frames that are in no book."""
    frames = seen.health["ledger"]["unaccounted"]
    remedy = "stop the run, keep the folder with both ledgers, and report it: this must not happen"
    return Finding("red", f"{frames} frames are unaccounted for", remedy) if frames else None


class Lag:
    """The analyzer falls behind the camera.

    Parameters
    ----------
    waits : bool
        The source can be made to wait, so that nothing is late.
    """

    def __init__(self, waits: bool) -> None:
        self._waits, self._past = waits, deque[tuple[float, int]]()

    def __call__(self, seen: Seen, raised: bool) -> Finding | None:
        """Return how late it is, once that is long and growing, and until it is short."""
        lag, rate = seen.health["lag_frames"], seen.health["frames_per_s"]["received"]
        if self._waits or seen.health["state"] != "running" or rate <= 0:
            self._past.clear()
            return None
        self._past.append((seen.now_s, lag))
        while seen.now_s - self._past[0][0] > GROWS_OVER_S:
            self._past.popleft()
        since_s = seen.now_s - self._past[0][0]
        grows = (lag - self._past[0][1]) / since_s if since_s > 0 else 0.0
        if lag / rate <= (LATE_AGAIN_S if raised else LATE_S) or not (raised or grows > GROWS_SHARE * rate):
            return None
        analysed = seen.health["frames_per_s"]["analysed"]
        return Finding(
            "amber", f"{lag / rate:.0f} s behind: {rate:.0f} frames/s come, {analysed:.0f} are analysed",
            "nothing is lost while the disk holds; a smaller field, fewer frames/s, a faster model or engine "
            "([engine], `livesmlm engines`)",
        )  # fmt: skip


class Silence:
    """The camera sends nothing more."""

    def __init__(self) -> None:
        self._received, self._first_s, self._last_s = 0, 0.0, 0.0

    def __call__(self, seen: Seen, raised: bool) -> Finding | None:
        """Return how long no frame has come, unless all have."""
        received = seen.health["ledger"]["received"]
        if received != self._received:
            self._first_s = self._first_s or seen.now_s
            self._received, self._last_s = received, seen.now_s
        all_came = seen.health["frames"] is not None and received >= seen.health["frames"]
        if not received or all_came or seen.health["state"] != "running":
            return None
        usual_s = SILENT_FRAMES * (self._last_s - self._first_s) / received
        silent_s = seen.now_s - self._last_s
        if silent_s <= max(SILENT_S, usual_s):
            return None
        return Finding(
            "amber", f"no frame for {silent_s:.0f} s",
            "look whether the acquisition still runs, at the camera's trigger and cable",
        )  # fmt: skip


class Disk:
    """The disk fills up.

    Parameters
    ----------
    free_bytes : callable
        What is left on the disk of the run's folder.
    """

    def __init__(self, free_bytes: Callable[[], int]) -> None:
        self._free_bytes, self._past = free_bytes, deque[tuple[float, int]]()

    def __call__(self, seen: Seen, raised: bool) -> Finding | None:
        """Return how long the disk will last at the rate of the last two minutes, whoever writes."""
        if not self._past or seen.now_s - self._past[-1][0] >= DISK_EVERY_S:
            self._past.append((seen.now_s, self._free_bytes()))
        while self._past[-1][0] - self._past[0][0] > DISK_OVER_S:
            self._past.popleft()
        (since_s, before), (now_s, free) = self._past[0], self._past[-1]
        used = max(before - free, 0)
        minutes = free / used * (now_s - since_s) / 60 if used and now_s - since_s >= DISK_LEAST_S else float("inf")
        if minutes >= (DISK_AGAIN_MINUTES if raised else DISK_MINUTES) and free >= (
            DISK_AGAIN_BYTES if raised else DISK_BYTES
        ):
            return None
        left = f"; full in {minutes:.0f} min at the present rate" if minutes < float("inf") else ""
        return Finding(
            "red" if minutes < DISK_RED_MINUTES or free < DISK_BYTES else "amber",
            f"the disk is nearly full: {free / 1e9:.1f} GB left{left}",
            "free space on this disk now; [policy] record = true and frames that wait take most",
        )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} ({why.removeprefix('refused: ')})" for why, n in counts.items())
