"""What the guard says of recorded data: those that a network was trained for, and others that it knows nothing of.

    python tests/benchmarks/guard_real.py --data ../shared/data --model runs/mine/mine.onnx

The model is one that `livesmlm train --from-beads` made of the challenge's astigmatic beads; MT0 are frames of the same
microscope. The others have other spots, cameras and pixels: their rigs state what is known of them, and are accepted
although they lie outside.
"""

import argparse
import json
import tempfile
from pathlib import Path

from own_microscope import CAMERA
from replayed import replay

EMCCD = {"pixel_size_nm": 100, "offset_adu": 100, "gain_e_per_adu": 3.6, "em_gain": 100, "read_noise_e": 30}
SMFRET = {"pixel_size_nm": 100, "offset_adu": 120, "gain_e_per_adu": 100 / 21.5, "em_gain": 100, "read_noise_e": 40}
SCMOS = {"pixel_size_nm": 100, "offset_adu": 0, "gain_e_per_adu": 0.45, "read_noise_e": 1.5}
EACH = "[policy]\nbatch_frames = 1\n"
"""So few frames: the guard looks at one of each batch."""
SETS = {
    "the same microscope (MT0)": ("smlm-challenge-2016/MT0.N1.LD_AS_frames1-64.tif", CAMERA),
    "ThunderSTORM's simulation, in focus": ("thunderstorm-synth/kept/sparse_108nm.tif", EMCCD),
    "smFRET, in focus": ("smfret-tirf/fix_acceptor_y40_x300_300f.tif", SMFRET),
    "tetrapod": ("tetrapod-storm/tetrapod_mt_50x332x492.tif", SCMOS),
}


def verdicts(run: Path) -> str:
    """Return the periods of a run in words."""
    record = json.loads((run / "run.json").read_text())
    return "; ".join(
        f"{one['word']} from frame {one['first_frame']} ({one['molecules']} molecules)"
        + (f": {one['cause']}" if one["cause"] else "")
        for one in record["guard"]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    told = parser.parse_args()
    print("| data | what the guard says |\n|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for number, (what, (file, camera)) in enumerate(SETS.items()):
            stack, folder = told.data / file, Path(name) / str(number)
            out = replay(stack, camera, str(told.model), "off", folder, EACH, accept_outside=True)
            print(f"| {what} | {verdicts(out)} |", flush=True)


if __name__ == "__main__":
    main()
