"""What watching optics, background and data costs: frames per second of a whole run, without and with it, by turns.

    python tests/benchmarks/watched.py [--frames 600] [--rounds 3] [--every 5] [--background localizer]
    python tests/benchmarks/watched.py --in-focus --background bgnet
    python tests/benchmarks/watched.py --guard [--in-focus] [--density 0.3]

A recorded astigmatic stack, 128 x 128, refined (with `--guard` not), as fast as it is analysed, without anything and
with `[phase]` and `[background]`, or with the guard; every core is busy, so that what another process takes is missing
elsewhere. In focus there is no phase. Processor time is that of the run's main process; of it, what the guard's own
calls took by the clock of their thread: machines change more from run to run than the guard costs.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from pipeline import run

from stream.config import Rig, validate
from stream.opening import source_of
from stream.stages.guard import GuardWatch

SIDE_PX = 128


def rig_of(source: dict, more: dict | None = None, model: str = "astigmatic-fast") -> Rig:
    return validate(
        {
            "camera": {"pixel_size_nm": 100, "gain_e_per_adu": 0.5, "offset_adu": 100},
            "optics": {"sample_index": 1.518},
            "source": source,
            "model": {"name": model},
            "refine": {"mode": "all"},
            "guard": {"mode": "off"},
            **(more or {}),
            "publish": {"address": "tcp://127.0.0.1:*", "snapshot_address": "tcp://127.0.0.1:*"},
        },
        "benchmark",
    )


def clocked(looks_s: list[float]) -> None:
    """Have the guard note the processor seconds of each of its looks."""
    watched = GuardWatch._watched

    def timed(*given, **more):
        began_s = time.thread_time()
        answer = watched(*given, **more)
        looks_s.append(time.thread_time() - began_s)
        return answer

    GuardWatch._watched = timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=float, default=5.0)
    parser.add_argument("--background", default="none")
    parser.add_argument("--in-focus", action="store_true")
    parser.add_argument("--guard", action="store_true")
    parser.add_argument("--density", type=float, default=0.1)
    args = parser.parse_args()
    model = "2d-fast" if args.in_focus else "astigmatic-fast"
    scene = {
        "kind": "simulated", "width_px": SIDE_PX, "height_px": SIDE_PX, "frames": args.frames, "frames_per_s": "max",
        "structure": "uniform", "density_per_um2": args.density, "photons": 2000,
    }  # fmt: skip
    watching = {"background": {"mode": args.background}}
    if args.background == "bgnet":
        watching["background"]["model"] = "2d-bgnet"
    without: dict = {"refine": {"mode": "off"}} if args.guard else {}
    if not args.in_focus:
        scene |= {"depth_nm": 1100, "mask": "astigmatism"}
        watching["phase"] = {"mode": "molecules", "mask": "astigmatism", "every_s": args.every}
    if args.guard:
        watching = without | {"guard": {"mode": "on"}}
    with tempfile.TemporaryDirectory() as name:
        source = source_of(rig_of(scene))
        source.open()
        path = Path(name) / "stack.npy"
        np.save(path, np.stack([frame.pixels for frame in source.frames() if frame is not None]))
        replay = {"kind": "replay", "path": str(path), "rate": "max"}
        rates, spent = ({"off": [], "on": []} for _ in range(2))
        looks_s: list[float] = []
        clocked(looks_s)
        for number in range(args.rounds):
            for kind, more in (("off", without), ("on", watching)):
                out = Path(name) / f"{kind}-{number}"
                began_s = time.process_time()
                outcome, _, _ = run(rig_of(replay, more, model), out)
                spent[kind].append(time.process_time() - began_s)
                rates[kind].append(outcome.health["analysing_frames_per_s"])
                log = out / "phase.jsonl"
                estimates = len(log.read_text().splitlines()) if log.exists() else 0
                print(f"{kind:3s}: {rates[kind][-1]:.1f} frames/s, {estimates} estimates of the pupil", flush=True)
    print(f"with / without: {np.median(rates['on']) / np.median(rates['off']):.3f}")
    print(f"processor time with / without: {np.median(spent['on']) / np.median(spent['off']):.3f}")
    if args.guard:
        print(f"the guard's own share of the processor time: {sum(looks_s) / sum(spent['on']):.3f}")


if __name__ == "__main__":
    main()
