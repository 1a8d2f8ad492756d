"""Whether the number of molecules in a frame is held while the sample bleaches: a whole run on the simulated sample.

    python tests/benchmarks/activation.py [--molecules 20] [--every 40] [--frames 3200] [--mode on] [--figure FILE.png]

Each of the sample's emitters bleaches the first time that it goes off, and the laser begins at half of what is needed.
Prints, for each tenth of the run, how far the mean number in the table is from the wanted one, the power, and what is
left of the sample. `--mode dry-run` shows what becomes of the same sample when nobody holds it.
"""

import argparse
import json
import tempfile
from pathlib import Path

import matplotlib as mpl
import numpy as np
from pipeline import Silent, engine_of

from stream.books.json_lines import ACTIONS
from stream.config import Rig, validate
from stream.pipeline import Pipeline
from stream.readers.tables import read_table

SIDE_PX, PIXEL_NM = 96, 100.0
EMITTERS, ON_FRAMES, DUTY_CYCLE = 24_000, 2.0, 0.0005


def rig_of(molecules: float, every: int, mode: str, frames: int, truth: Path | None = None) -> Rig:
    area_um2 = (SIDE_PX * PIXEL_NM / 1000) ** 2
    return validate(
        {
            "camera": {"pixel_size_nm": PIXEL_NM, "gain_e_per_adu": 0.5, "offset_adu": 100},
            "source": {
                "kind": "simulated", "width_px": SIDE_PX, "height_px": SIDE_PX, "frames": frames,
                "frames_per_s": "max", "structure": "uniform", "psf": "gaussian",
                "density_per_um2": EMITTERS * DUTY_CYCLE / area_um2, "photons": 2000, "on_frames": ON_FRAMES,
                "duty_cycle": DUTY_CYCLE, "bleach_frames": ON_FRAMES, "truth": truth,
            },
            "model": {"name": "localizer-2d"},
            "engine": {"threads": 1},
            "policy": {"batch_frames": 8, "ring_mb": 0.3},
            "activation": {
                "mode": mode, "device": "laser", "property": "power", "molecules": molecules, "every_frames": every,
                "start": 0.5, "maximum": 100,
            },
            "publish": {"address": "tcp://127.0.0.1:*", "snapshot_address": "tcp://127.0.0.1:*"},
        },
        "benchmark",
    )  # fmt: skip


def left_after(truth: Path, frame: int) -> float:
    """What part of the emitters has not shone up to a frame; each has a place of its own, and shines once."""
    table = read_table(truth)
    seen = np.asarray(table["frame"]) <= frame
    places = np.round(np.column_stack((table["x_nm"], table["y_nm"]))[seen], 2)
    return 1 - len(np.unique(places, axis=0)) / EMITTERS


def draw(path: Path, counts: np.ndarray, actions: list[dict], wanted: float) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 6), sharex=True, layout="constrained")
    smooth = np.convolve(counts, np.ones(40) / 40, "same")
    above.plot(counts, color="0.85", lw=0.6, label="each frame")
    above.plot(np.arange(20, len(counts) - 20), smooth[20:-20], color="C0", label="mean of 40 frames")
    above.axhline(wanted, color="k", lw=1, label="wanted")
    above.fill_between([0, len(counts)], 0.9 * wanted, 1.1 * wanted, color="C2", alpha=0.2, label="within 10 %")
    above.set(ylabel="molecules in a frame", ylim=(0, 2 * wanted))
    above.legend(loc="upper right", ncols=2)
    below.step([a["frame"] for a in actions], [a["new"] for a in actions], where="post", color="C3")
    below.set(xlabel="frame", ylabel="activation power", yscale="log")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--molecules", type=float, default=20)
    parser.add_argument("--every", type=int, default=40)
    parser.add_argument("--frames", type=int, default=3200)
    parser.add_argument("--mode", choices=("on", "dry-run"), default="on")
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    frames, wanted = args.frames, args.molecules
    with tempfile.TemporaryDirectory() as name:
        out, truth = Path(name) / "out", Path(name) / "truth.csv"
        rig = rig_of(wanted, args.every, args.mode, frames, truth)
        outcome = Pipeline(rig, out, Silent()).run(engine_of(rig))
        assert outcome.error is None, outcome.error
        counts = np.bincount(read_table(out / "table.parquet")["frame"], minlength=frames)
        actions = [json.loads(line) for line in (out / ACTIONS).read_text().splitlines()]
        tenths = np.array_split(np.arange(frames), 10)
        left = [left_after(truth, int(part[-1])) for part in tenths]
    powers = [action for action in actions if action["kind"] in ("start", "change", "maximum")]
    print(f"{frames} frames, {wanted:g} molecules wanted, {len(powers)} settings")
    for number, part in enumerate(tenths):
        deviation = 100 * (counts[part].mean() / wanted - 1)
        power = [action["new"] for action in powers if action["frame"] <= part[-1]][-1]
        print(f"tenth {number + 1:2d}: {deviation:+6.1f} %   power {power:7.3f}   left {100 * left[number]:5.1f} %")
    print(f"whole run: {100 * (counts.mean() / wanted - 1):+.1f} %")
    if args.figure is not None:
        draw(args.figure, counts, powers, wanted)


if __name__ == "__main__":
    main()
