"""Frames of an NDTiff acquisition that another process writes: none lost, and how late each is in the source.

    python tests/benchmarks/following.py [--seconds 8] [--size 512] [--rates 100 500] [--folder /some/disk]

Latency is from just before the writer's call to the frame in the source. ndstorage, the writer, keeps up to 8 KB of the
index to itself; with `flushed` it is written with each image, as Micro-Manager's own writer does. Each frame's pixels
are compared with those that were written.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from ndstorage import NDTiffDataset

from stream.sources.follow import FollowSettings, FollowSource

SLOTS = 32


def movie(size: int) -> np.ndarray:
    """Return the frames that are written by turns."""
    return np.random.default_rng(0).poisson(110, (SLOTS, size, size)).astype(np.uint16)


def write(folder: Path, size: int, frames: int, rate: float, flushed: bool, told: Connection) -> None:
    """Be the acquisition; tell how many frames per second were written."""
    folder.mkdir()
    dataset, stack = NDTiffDataset(str(folder), writable=True), movie(size)
    dataset.initialize({})
    began = time.monotonic()
    for number in range(frames):
        if (early := began + number / rate - time.monotonic()) > 0:
            time.sleep(early)
        about = {"ElapsedTime-ms": 1000 * time.monotonic()}
        dataset.put_image({"time": number}, stack[number % SLOTS], about)
        if flushed:
            dataset._index_file.flush()
    told.send(frames / (time.monotonic() - began))
    dataset.finish()


def follow(
    folder: Path, size: int, frames: int, rate: float, flushed: bool
) -> tuple[float, list[int], np.ndarray, int]:
    """Return the rate that was written, the indices in their order, latencies in ms, and frames with other pixels."""
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=write, args=(folder, size, frames, rate, flushed, theirs))
    process.start()
    source, stack = FollowSource(FollowSettings(path=folder)), movie(size)
    source.open()
    indices, late_ms, wrong = [], [], 0
    for frame in source.frames():
        if frame is not None:
            indices.append(frame.index)
            late_ms.append(1000 * (frame.host_time_s - frame.camera_time_s))
            wrong += not np.array_equal(frame.pixels, stack[frame.index % SLOTS])
    source.close()
    process.join()
    return ours.recv(), indices, np.array(late_ms), wrong


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rates", type=float, nargs="+", default=[100.0, 500.0])
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args(arguments)
    names = f"{'lost':>6}{'order':>7}{'wrong':>7}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}"
    print(f"{'frames/s asked':>15}{'index':>10}{'written/s':>11}{'frames':>8}{names}")
    for rate in args.rates:
        for flushed in (False, True):
            frames = round(rate * args.seconds)
            with tempfile.TemporaryDirectory(dir=args.folder) as name:
                written, indices, late_ms, wrong = follow(Path(name) / "run", args.size, frames, rate, flushed)
            lost, ordered = frames - len(set(indices)), indices == sorted(set(indices))
            p50, p99 = np.percentile(late_ms, [50, 99])
            kept, order = "flushed" if flushed else "buffered", "kept" if ordered else "lost"
            print(f"{rate:15g}{kept:>10}{written:11.1f}{frames:8d}{lost:6d}{order:>7}{wrong:7d}", end="")
            print(f"{p50:8.0f}{p99:8.0f}{late_ms.max():8.0f}", flush=True)


if __name__ == "__main__":
    main()
