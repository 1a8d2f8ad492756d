"""Batch sizes that graphs of known shapes are made ready for; a batch is filled up to the next."""

from __future__ import annotations

BUCKETS = (1, 4, 8, 16, 32)


def bucket_of(frames: int, buckets: tuple[int, ...] = BUCKETS) -> int:
    """Return the smallest size that holds so many frames; there are at most as many as the largest holds."""
    return next(size for size in buckets if size >= frames)
