"""How well drift is found, beside Picasso's AIM on the same tables; and what it costs in a run.

    python tests/benchmarks/drift.py accuracy [--frames 10000] [--per-frame 20] [--block 100]
    python tests/benchmarks/drift.py cost [--frames 800] [--rounds 3]

accuracy: filaments and DNA origami, 20 x 20 x 0.6 µm, 10 nm uncertain laterally and 25 nm axially, that move by 500 nm
in all; root mean square errors over all frames, a constant taken out. Picasso (extra `benchmark`) with the same blocks,
an intersection distance of 20 nm and a search of 60 nm. Times are of the processor. cost: whole runs on a recorded
stack, with and without `[drift]`, by turns; and the processor's time for a frame of 66 localizations.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from models.localizations import Localizations
from stream.drift.blocks import Cutter
from stream.drift.files import DriftFiles
from stream.drift.second_pass import SecondPass
from stream.drift.settings import DriftSettings
from stream.drift.tracker import Tracker
from stream.picture.render import Renderer, RenderSettings
from stream.stages.drift import DriftWatch
from tests.stream.drift.samples import errors, linear, table, walk, with_jump

PIXEL_NM, SIDE_NM, RANGE_NM = 100.0, 20_000.0, 200.0


def drifts(frames: int) -> dict[str, np.ndarray]:
    """Paths of the sample, (frames, 3) nm."""
    return {
        "linear": linear(frames),
        "walk": walk(frames, every=frames // 20),
        "linear, jump": with_jump(linear(frames), frames // 2 + 37),
        "walk each frame": walk(frames),
    }


def ours(localizations: Localizations, frames: int, block: int) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Drift by frame of the first and of the second pass; seconds of either."""
    tracker, cutter = Tracker(RANGE_NM), Cutter(block, 100)
    began = time.process_time()
    for part in cutter.add(localizations, 0, frames - 1):
        tracker.add(part)
    live_s = time.process_time() - began
    second, cutter = SecondPass(tracker.curve, tracker.reference), Cutter(block, 100)
    for part in cutter.add(localizations, 0, frames - 1):
        second.add(part)
    at = np.arange(frames)
    return tracker.curve.at(at), second.curve().at(at), live_s, time.process_time() - began - live_s


def picasso(localizations: Localizations, frames: int, block: int) -> tuple[np.ndarray, float]:
    """Drift by frame, and seconds, by Picasso's AIM."""
    import pandas as pd
    from picasso import aim

    place = {name: np.asarray(localizations[f"{name}_nm"], np.float32) / PIXEL_NM for name in ("x", "y")}
    frame = np.asarray(localizations["frame"], np.int64)
    locs = pd.DataFrame({"frame": frame, **place, "z": np.asarray(localizations["z_nm"], np.float32)})
    pixels = int(SIDE_NM / PIXEL_NM)
    info = [{"Width": pixels, "Height": pixels, "Frames": frames, "Pixelsize": PIXEL_NM}]
    began = time.process_time()
    _, _, drift = aim.aim(locs, info, block, intersect_d=20 / PIXEL_NM, roi_r=60 / PIXEL_NM)
    seconds = time.process_time() - began
    return drift[["x", "y", "z"]].to_numpy(np.float64) * (PIXEL_NM, PIXEL_NM, 1.0), seconds


def compared(kinds: list[str], frames: int, per_frame: float, block: int) -> None:
    ours(table(linear(400), per_frame), 400, 100)  # compiles
    with_picasso = has_picasso()
    if with_picasso:
        picasso(table(linear(400), per_frame), 400, 100)
    print(f"{'RMS error of x, y, z in nm':42s}{'live':>20s}{'second pass':>20s}{'Picasso':>20s}{'seconds':>24s}")
    for structure in kinds:
        for name, true in drifts(frames).items():
            localizations = table(true, per_frame, structure, SIDE_NM)
            blocks = block // 4 if name == "walk each frame" else block
            live, second, live_s, second_s = ours(localizations, frames, blocks)
            columns = [shown(errors(found, true)) for found in (live, second)]
            seconds = f"{live_s:.1f} + {second_s:.1f}"
            if with_picasso:
                found, its_s = picasso(localizations, frames, blocks)
                columns.append(shown(errors(found, true)))
                seconds += f", {its_s:.1f}"
            title = f"{structure}, {name} (blocks of {blocks})"
            print(f"{title:42s}" + "".join(f"{column:>20s}" for column in columns) + f"{seconds:>24s}", flush=True)


def has_picasso() -> bool:
    try:
        import picasso.aim  # noqa: F401
    except ImportError:
        print("Picasso is not here: pip install 'livesmlm[benchmark]'")
        return False
    return True


def shown(off: np.ndarray) -> str:
    return " ".join(f"{axis:5.2f}" for axis in off)


def per_frame_ms(moving: bool, frames: int = 2000) -> dict[str, float]:
    """Processor's milliseconds for drawing a frame of 66 localizations, without and with the drift found."""
    rows = table(linear(frames) * moving, 66)
    frame = np.asarray(rows["frame"])
    spent = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("drawn", "drift found, drawn"):
            renderer = Renderer(SIDE_NM, SIDE_NM, RenderSettings())
            stage = DriftWatch(DriftSettings(), renderer, DriftFiles(Path(folder), PIXEL_NM), len, len)
            began = time.process_time()
            for first in range(0, frames, 16):
                part = rows.where(slice(*np.searchsorted(frame, [first, first + 16])))
                if name == "drawn":
                    renderer.add(part)
                else:
                    stage.hear(part, first, first + 15)
            spent[name] = 1000 * (time.process_time() - began) / frames
    return spent


def cost(frames: int, rounds: int) -> None:
    from pipeline import pictures, rig_of, run

    with tempfile.TemporaryDirectory() as folder:
        stack = {"kind": "replay", "path": str(pictures(Path(folder), frames)), "rate": "max"}
        rates: dict[str, list[float]] = {"off": [], "aim": []}
        for number in range(rounds):
            for mode, measured in rates.items():
                rig = rig_of(stack, threads=1)
                rig = rig.model_copy(update={"drift": rig.drift.model_copy(update={"mode": mode})})
                outcome, _, _ = run(rig, Path(folder) / f"{mode}-{number}")
                measured.append(outcome.health["analysing_frames_per_s"])
                each = outcome.health["localizations"] / frames
                print(f"{mode:4s} {measured[-1]:.1f} frames/s, {each:.0f} localizations a frame", flush=True)
    for moving in (False, True):
        spent = ", ".join(f"{name} {ms:.2f}" for name, ms in per_frame_ms(moving).items())
        print(f"ms a frame, sample {'moves by 500 nm' if moving else 'stays'}: {spent}")
    print(f"with / without: {np.median(rates['aim']) / np.median(rates['off']):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["accuracy", "cost"])
    parser.add_argument("--frames", type=int)
    parser.add_argument("--per-frame", type=float, default=20)
    parser.add_argument("--block", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    if args.what == "accuracy":
        compared(["filaments", "origami"], args.frames or 10_000, args.per_frame, args.block)
    else:
        cost(args.frames or 800, args.rounds)


if __name__ == "__main__":
    main()
