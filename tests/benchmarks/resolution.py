"""Resolution and precision beside Picasso's, on the same simulated table; and what measuring them costs a whole run.

    python tests/benchmarks/resolution.py beside [--picasso PYTHON]    # of an environment with the extra `benchmark`
    python tests/benchmarks/resolution.py cost [--frames 1500] [--rounds 3] [--every 10]

beside: frames are compared one apart, as Picasso does, and the picture has the pixels that it takes, half of the
precision. Picasso splits the table at random with a seed, here blocks take turns.
cost: a recorded stack, 128 x 128, as fast as it is analysed, without and with `[resolution]`, by turns;
the share of processor time is of one and the same run: other work on the machine changes it less than the rates.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import psutil

from stream import zoo
from stream.config import Rig, validate
from stream.engines import open_engine
from stream.opening import source_of
from stream.pipeline import Pipeline
from stream.quality.frc import correlate
from stream.quality.half_images import HalfImages
from stream.quality.nena import NearestDistances
from stream.quality.settings import ResolutionSettings

PIXEL_NM, SIDE_PX, FRAMES = 100.0, 80, 10_000
SAMPLES = {
    "filaments, 8 nm": (8.0, 2.0, True),
    "anywhere, 10 nm": (10.0, 2.0, False),
    "anywhere, 15 nm": (15.0, 3.0, False),
}
PICASSO = """
import json, sys, time
import numpy as np, pandas as pd
from picasso import postprocess
data = np.load(sys.argv[1])
side, pixel = int(data["side"]), float(data["pixel_nm"])
locs = pd.DataFrame({"frame": data["frame"].astype("u4"), "x": data["x"] / pixel - 0.5, "y": data["y"] / pixel - 0.5})
locs["lpx"] = locs["lpy"] = np.float32(data["sigma"] / pixel)
locs["photons"] = np.float32(1000)
info = [{"Width": side, "Height": side, "Frames": int(data["frames"]), "Pixelsize": pixel}]
postprocess.nena(locs, info)
began = time.perf_counter()
precision = postprocess.nena(locs, info)[1] * pixel
between = time.perf_counter()
found = postprocess.frc(locs, info, ((0, 0), (side, side)))
print(json.dumps({"nena": precision, "nena_s": between - began, "frc": float(found["resolution"]),
                  "frc_s": time.perf_counter() - between}))
"""


def sample(sigma_nm: float, on_frames: float, filaments: bool) -> tuple[np.ndarray, np.ndarray]:
    """Frames and (n, 2) positions: emitters that blink ten times, anywhere or on straight filaments."""
    rng, side_nm, emitters = np.random.default_rng(0), PIXEL_NM * SIDE_PX, 8000
    place = rng.uniform(0, side_nm, (emitters, 2))
    if filaments:
        start, angle = rng.uniform(0, side_nm, (40, 2)), rng.uniform(0, np.pi, 40)
        which, along = rng.integers(0, 40, emitters), rng.uniform(-side_nm, side_nm, emitters)
        place = start[which] + along[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))[which]
        place = place[((place > 0) & (place < side_nm)).all(axis=1)]
    place = np.repeat(place, rng.poisson(10, len(place)), axis=0)
    begin, length = rng.integers(0, FRAMES, len(place)), rng.geometric(1 / on_frames, len(place))
    frame = np.concatenate([np.arange(a, a + n) for a, n in zip(begin, length, strict=True)])
    found = np.repeat(place, length, axis=0)
    found = found + rng.normal(0, sigma_nm, found.shape)
    order = np.argsort(frame, kind="stable")
    order = order[(frame[order] < FRAMES) & ((found[order] > 0) & (found[order] < side_nm)).all(axis=1)]
    return frame[order], found[order].astype(np.float32)


def ours(frame: np.ndarray, place: np.ndarray) -> dict[str, float | None]:
    began = time.perf_counter()
    distances, step = NearestDistances(PIXEL_NM), 20_000
    for k in range(0, len(frame), step):
        distances.add(frame[k : k + step], *place[k : k + step].T)
    precision = distances.precision_nm()
    between = time.perf_counter()
    halves = HalfImages(
        SIDE_PX * PIXEL_NM, SIDE_PX * PIXEL_NM, ResolutionSettings(block_frames=500, pixel_nm=precision / 2)
    )
    halves.add(frame, *place.T)
    pictures = halves.halves()
    curve = correlate(*pictures.counts, pictures.region.pixel_nm)
    return {
        "nena": precision, "nena_s": between - began, "frc": curve.resolution_nm,
        "frc_s": time.perf_counter() - between,
    }  # fmt: skip


def beside(picasso: str) -> None:
    for name, (sigma_nm, on_frames, filaments) in SAMPLES.items():
        frame, place = sample(sigma_nm, on_frames, filaments)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "table.npz"
            np.savez(
                path, frame=frame, x=place[:, 0], y=place[:, 1], side=SIDE_PX, pixel_nm=PIXEL_NM, sigma=sigma_nm,
                frames=FRAMES,
            )  # fmt: skip
            told = subprocess.run([picasso, "-c", PICASSO, str(path)], capture_output=True, text=True, check=True)
        theirs, here = json.loads(told.stdout.splitlines()[-1]), ours(frame, place)
        print(f"{name}, {len(frame)} localizations:")
        for what in ("nena", "frc"):
            print(
                f"  {what}: {here[what]:.2f} nm in {here[what + '_s']:.2f} s; Picasso {theirs[what]:.2f} nm in "
                f"{theirs[what + '_s']:.2f} s; ratio {here[what] / theirs[what]:.3f}"
            )


def rig_of(source: dict, more: dict | None = None) -> Rig:
    return validate(
        {
            "camera": {"pixel_size_nm": PIXEL_NM, "gain_e_per_adu": 0.5, "offset_adu": 100},
            "source": source,
            "model": {"name": "localizer-2d"},
            **(more or {}),
            "publish": {"address": "tcp://127.0.0.1:*", "snapshot_address": "tcp://127.0.0.1:*"},
        },
        "benchmark",
    )


class Meter:
    """Follows a run, and reads the processor time of the process that measures and of all, twice a second."""

    def __init__(self) -> None:
        self.samples: list[tuple[float, float]] = []

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def report(self, health: dict) -> None:
        if health["state"] != "running":
            return
        children = {child.name: _processor_s(child.pid) for child in active_children()}
        total = _processor_s(os.getpid()) + sum(children.values())
        self.samples.append((children.get("livesmlm-resolution", 0.0), total))

    def share(self, since: float) -> float:
        """Return what measuring took of all, from a part of the run on."""
        begin, end = self.samples[int(since * (len(self.samples) - 1))], self.samples[-1]
        return (end[0] - begin[0]) / (end[1] - begin[1])


def _processor_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def recorded(folder: Path, frames: int) -> dict:
    """A recorded stack, as a source."""
    scene = {
        "kind": "simulated", "width_px": 128, "height_px": 128, "frames": frames, "frames_per_s": "max",
        "density_per_um2": 0.3, "photons": 2000,
    }  # fmt: skip
    source = source_of(rig_of(scene))
    source.open()
    np.save(folder / "stack.npy", np.stack([frame.pixels for frame in source.frames() if frame is not None]))
    return {"kind": "replay", "path": str(folder / "stack.npy"), "rate": "max"}


def cost(frames: int, rounds: int, every_s: float) -> None:
    measuring = {"resolution": {"mode": "on", "every_s": every_s, "block_frames": 100}}
    rates: dict[str, list[float]] = {"off": [], "on": []}
    shares: list[list[float]] = []
    with tempfile.TemporaryDirectory() as name:
        replay = recorded(Path(name), frames)
        for number in range(rounds):
            for kind, more in [("off", {}), ("on", measuring)][:: 1 - 2 * (number % 2)]:
                rig, view = rig_of(replay, more), Meter()
                engine = open_engine(zoo.find(rig.model.name), rig.engine)
                outcome = Pipeline(rig, Path(name) / f"{kind}-{number}", view).run(engine)
                rates[kind].append(outcome.health["analysing_frames_per_s"])
                print(f"{kind:3s}: {rates[kind][-1]:.1f} frames/s, {outcome.health['localizations']} localizations")
                if kind == "on":
                    shares.append([view.share(0.0), view.share(0.3)])
    pairs = np.array(rates["on"]) / np.array(rates["off"])
    print(f"frames/s, with / without, in each round: {', '.join(f'{pair:.3f}' for pair in pairs)}")
    whole, later = np.median(shares, axis=0)
    print(f"processor time, measuring / all of the same run: {whole:.3f}; after the first 30 % {later:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["beside", "cost"])
    parser.add_argument("--picasso", default=sys.executable)
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=float, default=10.0)
    args = parser.parse_args()
    if args.what == "beside":
        beside(args.picasso)
    else:
        cost(args.frames, args.rounds, args.every)


if __name__ == "__main__":
    main()
