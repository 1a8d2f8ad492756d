"""What the pipeline costs beside the bare engine, how late a frame's table is, and whether memory stays constant.

python tests/benchmarks/pipeline.py throughput [--frames 600] [--threads 0]
python tests/benchmarks/pipeline.py latency [--seconds 60] [--load 0.5]
python tests/benchmarks/pipeline.py memory [--minutes 10]
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from stream import zoo
from stream.config import Rig, validate
from stream.engines import open_engine
from stream.frame import Batch, StreamInfo
from stream.opening import source_of
from stream.outcome import Outcome
from stream.pipeline import Pipeline
from stream.preparation import make_localizer, warm_up

SIDE_PX = 256


class Silent:
    """Follows a run without a word; samples the memory of the analyzer."""

    def __init__(self) -> None:
        self.began_s, self.memory_mb = time.monotonic(), []
        self.first_analysed_s = self.last_analysed_s = float("nan")
        self.analysed = 0

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def report(self, health: dict) -> None:
        self.memory_mb.append(
            (time.monotonic() - self.began_s, psutil.Process(os.getpid()).memory_full_info().uss / 1e6)
        )


def rig_of(source: dict, threads: int, batch: int = 8) -> Rig:
    return validate(
        {
            "camera": {"pixel_size_nm": 100, "gain_e_per_adu": 0.5, "offset_adu": 100},
            "source": source,
            "engine": {"threads": threads},
            "policy": {"batch_frames": batch, "ring_mb": 64},
            "publish": {"address": "tcp://127.0.0.1:*", "snapshot_address": "tcp://127.0.0.1:*"},
        },
        "benchmark",
    )


def engine_of(rig: Rig):
    return open_engine(zoo.find(rig.model.name), rig.engine)


def pictures(folder: Path, frames: int) -> Path:
    """A recorded stack of the demo's scene."""
    rig = rig_of(
        {"kind": "simulated", "width_px": SIDE_PX, "height_px": SIDE_PX, "frames": frames, "frames_per_s": "max"}, 1
    )
    source = source_of(rig)
    source.open()
    path = folder / "stack.npy"
    np.save(path, np.stack([frame.pixels for frame in source.frames() if frame is not None]))
    return path


def bare(rig: Rig, stack: np.ndarray) -> float:
    """Frames per second of the localizer alone, on the same batches."""
    engine, frames = engine_of(rig), rig.policy.batch_frames
    info = StreamInfo(*stack.shape[1:])
    localizer, none = make_localizer(rig, engine, info), np.full(frames, np.nan)
    warm_up(localizer, info, frames)
    began = time.perf_counter()
    for first in range(0, len(stack) - frames + 1, frames):
        localizer.process(Batch(stack[first : first + frames], np.arange(first, first + frames), none, none, none))
    return (first + frames) / (time.perf_counter() - began)


def run(rig: Rig, folder: Path, frames: int | None = None) -> tuple[Outcome, Silent, float]:
    view = Silent()
    pipeline = Pipeline(rig, folder, view, frames)
    began = time.perf_counter()
    outcome = pipeline.run(engine_of(rig))
    return outcome, view, time.perf_counter() - began


def throughput(frames: int, threads: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        path = pictures(Path(name), frames)
        stack = np.load(path, mmap_mode="r")
        rig = rig_of({"kind": "replay", "path": str(path), "rate": "max"}, threads)
        alone = bare(rig, stack)
        outcome, _, _ = run(rig, Path(name) / "out")
        again = bare(rig, stack)
        rate = outcome.health["analysing_frames_per_s"]
    print(f"{SIDE_PX} x {SIDE_PX}, frames/s: bare engine {alone:.1f}, afterwards {again:.1f}; pipeline {rate:.1f}")
    print(f"pipeline / bare engine: {rate / (0.5 * (alone + again)):.3f}")
    return rate


def latency(seconds: float, load: float, threads: int) -> None:
    rate = throughput(200, threads)
    with tempfile.TemporaryDirectory() as name:
        path = pictures(Path(name), 400)
        rig = rig_of({"kind": "replay", "path": str(path), "rate": load * rate}, threads)
        outcome, _, _ = run(rig, Path(name) / "out", int(min(400, seconds * load * rate)))
    ledger = outcome.health["ledger"]
    print(f"load {load:.0%} of {rate:.1f} frames/s: latency to the published table {outcome.health['latency_ms']} ms")
    print(f"received {ledger['received']}, analysed {ledger['analysed']}, unaccounted {ledger['unaccounted']}")


def memory(minutes: float, threads: int) -> None:
    source = {"kind": "simulated", "width_px": SIDE_PX, "height_px": SIDE_PX, "frames_per_s": 20}
    with tempfile.TemporaryDirectory() as name:
        outcome, view, _ = run(rig_of(source, threads), Path(name) / "out", int(minutes * 60 * 20))
    samples = np.array(view.memory_mb)
    fifths = [f"{np.median(part):.0f}" for part in np.array_split(samples[:, 1], 5)]
    totals = outcome.health["ledger"]
    print(f"{minutes:g} min at 20 frames/s: {outcome.health['localizations']} localizations, ledger {totals}")
    print(f"analyzer's own memory (USS), median of each fifth of the time: {', '.join(fifths)} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["throughput", "latency", "memory"])
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--load", type=float, default=0.5)
    parser.add_argument("--minutes", type=float, default=10)
    a = parser.parse_args()
    if a.what == "throughput":
        throughput(a.frames, a.threads)
    elif a.what == "latency":
        latency(a.seconds, a.load, a.threads)
    else:
        memory(a.minutes, a.threads)


if __name__ == "__main__":
    main()
