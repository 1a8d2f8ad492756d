"""Two dyes in one run: what the stream tells of molecules whose colour and height are known.

    python tests/benchmarks/two_colours.py [kim-fast] [--frames 400] [--out RESULTS]

`livesmlm run` with the simulated camera: filaments of either dye in 800 nm of depth, 6,000 photons a molecule, found
in focus by `2d-fast`, read by the network in `[crops]`. Printed for rows stated at 0.8 or more, 0.9 and 0.95: how many,
how many of the right colour, and by how much z is off: median, and median of what is left without it.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from models.matching import match
from stream.readers.tables import read_table

RIG = """
[camera]
pixel_size_nm = 100
read_noise_e = 1.5
[source]
kind = "simulated"
width_px = 160
height_px = 160
frames_per_s = "max"
depth_nm = 800
photons = 6000
density_per_um2 = 0.06
truth = "{out}/truth.csv"
[[source.colour]]
wavelength_nm = 600
zernike_waves = {{6 = 0.02, 11 = 0.05}}
[[source.colour]]
wavelength_nm = 680
focus_nm = 60
zernike_waves = {{6 = 0.02, 11 = 0.05}}
[publish]
address = "tcp://127.0.0.1:*"
[model]
name = "2d-fast"
[crops]
model = "{model}"
[refine]
mode = "off"
[drift]
mode = "off"
[filter]
min_channel_probability = 0.8
"""
SURE = (0.8, 0.9, 0.95)
NEAR_NM = 150.0


def run(model: str, frames: int, out: Path) -> Path:
    """Run it; returns the folder of the results."""
    rig = out / "rig.toml"
    rig.write_text(RIG.format(out=out, model=model))
    command = ["run", str(rig), "--out", str(out / "run"), "--frames", str(frames), "--no-page"]
    subprocess.run([sys.executable, "-m", "stream.cli", *command], check=True, stderr=subprocess.DEVNULL)
    return out / "run"


def told(truth, table) -> None:
    """Print what was told of the emitters."""
    emitter, row = match(truth, table, NEAR_NM, np.inf)
    right = np.asarray(truth["channel"])[emitter] == np.asarray(table["channel"])[row]
    off = np.asarray(table["z_nm"], float)[row] - np.asarray(truth["z_nm"], float)[emitter]
    stated = np.asarray(table["channel_probability"])[row]
    print(f"{len(table)} rows, {len(row)} of them within {NEAR_NM:g} nm of an emitter; {len(truth)} emitters in frames")
    print("| stated | rows | right | z is off, nm | and around that |\n|---|---|---|---|---|")
    for least in SURE:
        kept = (stated >= least) & np.isfinite(off)
        bias = np.median(off[kept])
        spread = np.median(np.abs(off[kept] - bias))
        print(f"| {least} | {kept.sum()} | {right[kept].mean():.1%} | {bias:.0f} | {spread:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="kim-fast")
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        out = (given.out or Path(scratch)).resolve()
        out.mkdir(parents=True, exist_ok=True)
        results = run(given.model, given.frames, out)
        told(read_table(out / "truth.csv"), read_table(results / "table.parquet"))


if __name__ == "__main__":
    main()
