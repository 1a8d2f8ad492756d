"""Drift beside Picasso's AIM, on the same simulated tables with known drift; and what finding it costs a whole run.

    python tests/benchmarks/drift.py beside [--picasso PYTHON]    # of an environment with the extra `benchmark`
    python tests/benchmarks/drift.py cost [--frames 1500] [--rounds 3]

beside: filaments in depth, 20 localizations a frame, 10 nm uncertain laterally and 25 nm axially, 500 nm of drift.
Errors are root mean squares over all frames, a constant offset taken out. Both take blocks of 50 frames.
cost: a recorded stack, 128 x 128, as fast as it is analysed, with `[drift]` and without, by turns; the ratio of the
analyzer's processor time is changed less by other work on the machine than that of the rates.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from pipeline import Silent, engine_of, rig_of  # noqa: E402

from stream.opening import source_of  # noqa: E402
from stream.pipeline import Pipeline  # noqa: E402
from tests.stream.drift.samples import errors, linear, table, tracked, walk, with_jump  # noqa: E402

FRAMES, BLOCK, PIXEL_NM, SIDE_PX = 20_000, 50, 100.0, 200
DRIFTS = {
    "linear": linear(FRAMES),
    "random walk": walk(FRAMES),
    "linear and a jump of 60 nm": with_jump(linear(FRAMES), 10_025),
}
PICASSO = """
import json, sys, time
import numpy as np, pandas as pd
from picasso import aim
data, pixel = np.load(sys.argv[1]), float(sys.argv[2])
columns = {"frame": data["frame"].astype("u4"), "x": data["x"] / pixel - 0.5, "y": data["y"] / pixel - 0.5}
sigma = np.full(len(data["x"]), 0.1)
locs = pd.DataFrame(columns | {"z": data["z"], "lpx": sigma, "lpy": sigma})
info = [{"Width": int(sys.argv[3]), "Height": int(sys.argv[3]), "Frames": int(sys.argv[4]), "Pixelsize": pixel}]
began = time.perf_counter()
drift = aim.aim(locs, info, segmentation=int(sys.argv[5]))[2]
spent = time.perf_counter() - began
np.save(sys.argv[6], np.column_stack((drift["x"] * pixel, drift["y"] * pixel, drift["z"])))
print(json.dumps(spent))
"""


def theirs(picasso: str, seen: dict) -> tuple[np.ndarray, float]:
    """(frames, 3) nm as Picasso finds it, and the seconds it took."""
    with tempfile.TemporaryDirectory() as name:
        given, found = Path(name) / "table.npz", Path(name) / "drift.npy"
        np.savez(given, **seen)
        sizes = map(str, (PIXEL_NM, SIDE_PX, FRAMES, BLOCK))
        told = subprocess.run(
            [picasso, "-c", PICASSO, str(given), *sizes, str(found)], capture_output=True, text=True, check=True
        )
        return np.load(found), json.loads(told.stdout.splitlines()[-1])


def beside(picasso: str) -> None:
    print("| drift | ours, while it runs: x, y, z nm | after the second pass | s | Picasso's AIM | s |")
    for name, true in DRIFTS.items():
        localizations = table(true, side_nm=PIXEL_NM * SIDE_PX)
        began = time.perf_counter()
        tracker, second = tracked(localizations, FRAMES)
        spent_s = time.perf_counter() - began
        frames = np.arange(FRAMES)
        live, final = (errors(curve.at(frames), true) for curve in (tracker.curve, second))
        seen = {column.removesuffix("_nm"): localizations[column] for column in ("frame", "x_nm", "y_nm", "z_nm")}
        curve, picasso_s = theirs(picasso, seen)
        shown = [", ".join(f"{error:.2f}" for error in found) for found in (live, final, errors(curve[:FRAMES], true))]
        print(f"| {name} | {shown[0]} | {shown[1]} | {spent_s:.0f} | {shown[2]} | {picasso_s:.0f} |", flush=True)


def cost(frames: int, rounds: int) -> None:
    source = {"kind": "simulated", "width_px": 128, "height_px": 128, "frames": frames, "frames_per_s": "max"}
    pairs = []
    with tempfile.TemporaryDirectory() as name:
        camera = source_of(rig_of(source, 1))
        camera.open()
        stack = Path(name) / "stack.npy"
        np.save(stack, np.stack([frame.pixels for frame in camera.frames() if frame is not None]))
        replay = rig_of({"kind": "replay", "path": str(stack), "rate": "max"}, 1)
        for number in range(rounds):
            spent = []
            for mode in ("off", "aim"):
                rig = replay.model_copy(update={"drift": replay.drift.model_copy(update={"mode": mode})})
                began_s = time.process_time()
                outcome = Pipeline(rig, Path(name) / f"{mode}-{number}", Silent(), frames).run(engine_of(rig))
                spent.append((time.process_time() - began_s, outcome.health["analysing_frames_per_s"]))
            pairs.append((spent[1][0] / spent[0][0], spent[1][1] / spent[0][1]))
            print(f"processor time {pairs[-1][0]:.3f}, frames/s {pairs[-1][1]:.3f} of those without", flush=True)
    print(f"medians: processor time {median(p for p, _ in pairs):.3f}, frames/s {median(r for _, r in pairs):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["beside", "cost"])
    parser.add_argument("--picasso", default=sys.executable, help="Python of an environment with picassosr")
    parser.add_argument("--frames", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    told = parser.parse_args()
    if told.what == "beside":
        beside(told.picasso)
    else:
        cost(told.frames, told.rounds)


if __name__ == "__main__":
    main()
