"""SMLM challenge 2016, MT0.N1.LD, astigmatic: a network trained on the spot that the challenge's own beads show.

    python tests/benchmarks/challenge.py --data ../shared/data --prepare runs/challenge
    livesmlm train default --psf runs/challenge/challenge.npz --sample-space runs/challenge/challenge.toml --steps N \\
        --out runs/challenge/fast
    livesmlm export runs/challenge/fast --out runs/challenge/challenge-fast.onnx
    python tests/benchmarks/challenge.py --data ../shared/data --model runs/challenge/challenge-fast.onnx

The pupil is retrieved from the bead stack; z is the stage's, as in the list of activations. 64 frames with 67 emitters:
the figures have the errors of so small a number.
"""

import tempfile
from pathlib import Path

import numpy as np
from beads import best, challenge
from replayed import MODES, arguments, replay

from models.beads.spots import retrieved_spots
from models.localizations import Localizations
from models.metrics import Rules, score
from models.optics.propagator import Setup
from stream.readers.tables import read_table

STAGE, BLUR_NM = 1, 80.0
"""What `beads.py` finds best."""
SIZE_PX, DEPTH_NM, FRAMES = 31, 750.0, 64
CAMERA = {
    "pixel_size_nm": 100,
    "offset_adu": 100,
    "gain_e_per_adu": 45,
    "em_gain": 300,
    "read_noise_e": 74.4,
    "quantum_efficiency": 0.9,
    "bit_depth": 16,
}
SPACE = """
[space]
pixel_size_nm = [98, 102]
z_nm = [-740, 740]
photons = [300, 12000, "log-uniform"]
background_e = [20, 200, "log-uniform"]
density_per_um2 = [0.02, 1, "log-uniform"]
em_share = 1
"""


def prepare(data: Path, folder: Path) -> None:
    """Retrieve the pupil; write spots and sample space."""
    bead = challenge(data, "AS")
    found, residual = best(bead, STAGE, BLUR_NM)
    setup = Setup(bead.objective, blur_nm=BLUR_NM, pupil_samples=64)
    focus = found.beads[0].focus_nm
    spot = retrieved_spots(setup, found.zernike_waves, bead.pixel_nm, SIZE_PX, DEPTH_NM, focus_nm=focus)
    folder.mkdir(parents=True, exist_ok=True)
    spot.save(folder / "challenge.npz")
    (folder / "challenge.toml").write_text(SPACE)
    print(
        f"bead: chi2 {found.chi2:.2f}, residual {100 * residual:.1f} %; spots: mean error {spot.quality.mean_error:.1e}"
    )


def truth(data: Path) -> Localizations:
    rows = np.genfromtxt(data / "activations.csv", delimiter=",", skip_header=1)
    rows = rows[rows[:, 1] <= FRAMES]
    columns = ("x_nm", "y_nm", "z_nm", "photons")
    return Localizations({"frame": rows[:, 1] - 1} | dict(zip(columns, rows[:, 2:6].T, strict=True)))


def report(data: Path, model: Path, mode: str, work: Path) -> None:
    out = replay(data / "MT0.N1.LD_AS_frames1-64.tif", CAMERA, str(model), mode, work / mode)
    table, true = read_table(out / "table.parquet"), truth(data)
    found = score(true, table, Rules())
    offset = {
        name: np.asarray(table[name]) - bias for name, bias in (("x_nm", found.bias_x_nm), ("y_nm", found.bias_y_nm))
    }
    s = score(true, Localizations({name: table[name] for name in table} | offset), Rules())
    shift = f"{found.bias_x_nm:+.0f}, {found.bias_y_nm:+.0f}"
    print(
        f"refine {mode:8}: {len(table)} of {len(true)}, Jaccard {s.jaccard:.3f}, "
        f"RMSE lateral {s.rmse_lateral_nm:.1f} nm, axial {s.rmse_axial_nm:.1f} nm, "
        f"efficiency lateral {s.efficiency_lateral:.0f}, axial {s.efficiency_axial:.0f} %; offset {shift} nm taken out"
    )


def main() -> None:
    told = arguments(__doc__)
    if told.prepare:
        prepare(told.data, told.prepare)
    if told.model:
        with tempfile.TemporaryDirectory() as work:
            for mode in MODES:
                report(told.data / "smlm-challenge-2016", told.model, mode, Path(work))


if __name__ == "__main__":
    main()
