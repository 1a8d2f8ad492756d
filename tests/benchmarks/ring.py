"""The ring beside `memcpy`, and the highest rate of frames that it takes without loss.

    python tests/benchmarks/ring.py --seconds 60

Throughput: a second process writes 512 x 512 uint16 frames as fast as it can (one copy into the ring) and this one
leases them, first as they are, then copying every pixel out. Reference: one process that copies the same frames from
memory to memory, over as many bytes as the ring holds, in the same run.

Sustained rate: the second process is a camera that does not wait: a frame that finds the ring full is missed, and so is
one that falls due and could not be offered before the end. The highest rate with none missed is found by bisection,
then held at 90 % for the time asked for.
"""

import argparse
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection

import numpy as np

from stream.acquisition.ring import Ring
from stream.frame import Frame

SHAPE = (512, 512)
FRAME_BYTES = 2 * SHAPE[0] * SHAPE[1]
SLOTS = 488  # 256 MB, the default ring_mb
BATCH = 16
IDLE_S = 0.0002
BACKLOG_S = 0.02


def camera(pipe: Connection) -> None:
    """Write frames at each rate asked for (inf: wait for room); answer with what became of them."""
    pixels = np.random.default_rng(1).integers(0, 4096, (8, *SHAPE), dtype=np.uint16)
    with Ring.create(SHAPE, SLOTS, {"analyse": "lossless"}) as ring:
        pipe.send(ring.name)
        while (task := pipe.recv()) is not None:
            pipe.send(write(ring, pixels, *task))


def write(ring: Ring, pixels: np.ndarray, rate: float, seconds: float) -> tuple[int, int, int]:
    """Return how many frames fell due, found the ring full, and came too late (a camera itself keeps BACKLOG_S)."""
    due = rate if rate == float("inf") else int(seconds * rate)
    offered = refused = 0
    begun = time.perf_counter()
    while offered < due and (now := time.perf_counter() - begun) < seconds + BACKLOG_S:
        if offered >= now * rate:
            time.sleep(IDLE_S)
        elif ring.write(Frame(pixels[offered % 8], offered)):
            offered += 1
        elif rate == float("inf"):
            time.sleep(IDLE_S)
        else:
            offered, refused = offered + 1, refused + 1
    return (offered, 0, 0) if rate == float("inf") else (due, refused, due - offered)


class Reader:
    """Leases what comes while the camera is at work; with `copy`, every pixel is copied out."""

    def __init__(self, ring: Ring, pipe: Connection) -> None:
        self._reader, self._pipe = ring.reader("analyse"), pipe
        self._out = np.zeros((BATCH, *SHAPE), np.uint16)

    def run(self, rate: float, seconds: float, copy: bool) -> tuple[int, int, int, int]:
        """Return how many frames fell due, found the ring full, came too late, and were received."""
        self._pipe.send((rate, seconds))
        received, result = 0, None
        while result is None or self._reader.waiting:
            if result is None and self._pipe.poll():
                result = self._pipe.recv()
            batch = self._reader.lease(BATCH)
            if batch is None:
                time.sleep(IDLE_S)
                continue
            if copy:
                np.copyto(self._out[: len(batch)], batch.pixels)
            received += len(batch)
            self._reader.release()
        return *result, received


def memcpy_rate(seconds: float) -> float:
    """Frames/s that one process copies from memory to memory."""
    source = np.random.default_rng(1).integers(0, 4096, (8, *SHAPE), dtype=np.uint16)
    target = np.ones((SLOTS, *SHAPE), np.uint16)
    copied, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        np.copyto(target[copied % SLOTS], source[copied % 8])
        copied += 1
    return copied / (time.perf_counter() - begun)


def in_words(due: int, refused: int, late: int, received: int) -> str:
    return f"{due} due, {received} received, {refused + late} missed ({refused} ring full, {late} camera late)"


def highest_rate(reader: Reader, fastest: float, trial_s: float) -> float:
    """Bisect the rate (frames/s) at which nothing is missed."""
    low, high = 0.0, fastest
    for _ in range(7):
        rate = (low + high) / 2
        counts = reader.run(rate, trial_s, copy=True)
        print(f"  {rate:8.0f} frames/s: {in_words(*counts)}")
        low, high = (low, rate) if counts[1] or counts[2] else (rate, high)
    return low


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long the 90 %% are held")
    parser.add_argument("--trial-seconds", type=float, default=5)
    options = parser.parse_args()
    context = get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=camera, args=(theirs,))
    process.start()
    with Ring.attach(pipe.recv()) as ring:
        reader = Reader(ring, pipe)
        reference = memcpy_rate(options.trial_seconds)
        print(f"memcpy                {reference:8.0f} frames/s  {reference * FRAME_BYTES / 1e9:5.2f} GB/s  1.00")
        rates = {}
        for name, copy in (("ring, leased", False), ("ring, copied out too", True)):
            rates[copy] = reader.run(float("inf"), options.trial_seconds, copy)[3] / options.trial_seconds
            share = f"{rates[copy] * FRAME_BYTES / 1e9:5.2f} GB/s  {rates[copy] / reference:.2f}"
            print(f"{name:21s} {rates[copy]:8.0f} frames/s  {share}")
        sustained = highest_rate(reader, rates[True], options.trial_seconds)
        counts = reader.run(0.9 * sustained, options.seconds, copy=True)
        print(f"highest sustained rate {sustained:.0f} frames/s of {SHAPE[0]} x {SHAPE[1]} uint16")
        print(f"{options.seconds:g} s at 90 %: {in_words(*counts)}")
        pipe.send(None)
        process.join()


if __name__ == "__main__":
    main()
