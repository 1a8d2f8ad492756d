"""SMLM challenge 2016, MT0.N1.LD, astigmatic: the network of `livesmlm train --from-beads`, and the one that ships.

    python tests/benchmarks/own_microscope.py --data ../shared/data --prepare runs/challenge
    livesmlm train --from-beads ../shared/data/smlm-challenge-2016/Beads-AS_151x150x150.tif \\
        --rig runs/challenge/rig.toml --sample-space runs/challenge/space.toml --out runs/challenge/own
    python tests/benchmarks/own_microscope.py --data ../shared/data --model runs/challenge/own/own.onnx

Beads and frames are the challenge's own, z is the stage's. The mean offset of each list of results is taken out: that
of x and y is a known one of these data, that of z the place of the focal plane in the stack of beads. 64 frames with 67
emitters: the figures have the errors of so small a number.
"""

import tempfile
from pathlib import Path

import numpy as np
from replayed import MODES, arguments, replay

from models.localizations import Localizations
from models.matching import match
from models.metrics import Rules, Score, score
from stream.readers.tables import read_table

RULES = Rules()
SHIPPED, FRAMES = "astigmatic-fast", 64
CAMERA: dict[str, float | str] = {
    "pixel_size_nm": 100, "offset_adu": 100, "gain_e_per_adu": 45, "em_gain": 300, "read_noise_e": 74.4,
    "quantum_efficiency": 0.9, "bit_depth": 16,
}  # fmt: skip
MORE = """
[optics]
numerical_aperture = 1.49
wavelength_nm = 670
[beads]
step_nm = 10
focal_plane = "towards-objective"
"""
SPACE = """[space]
photons = [300, 12000, "log-uniform"]
background_e = [20, 200, "log-uniform"]
density_per_um2 = [0.02, 1, "log-uniform"]
"""
"""Microtubules in a background of 90 photo-electrons."""


def prepare(folder: Path) -> None:
    """Write rig and sample space."""
    folder.mkdir(parents=True, exist_ok=True)
    camera = "\n".join(f"{name} = {value!r}" for name, value in CAMERA.items())
    (folder / "rig.toml").write_text(f"[camera]\n{camera}\n{MORE}")
    (folder / "space.toml").write_text(SPACE)


def truth(data: Path) -> Localizations:
    rows = np.genfromtxt(data / "activations.csv", delimiter=",", skip_header=1)
    rows = rows[rows[:, 1] <= FRAMES]
    columns = ("x_nm", "y_nm", "z_nm", "photons")
    return Localizations({"frame": rows[:, 1] - 1} | dict(zip(columns, rows[:, 2:6].T, strict=True)))


def without_offset(true: Localizations, table: Localizations) -> tuple[Score, list[float]]:
    """Return the score with the mean offset taken out, and that offset (x, y, z) in nm."""
    offset = [0.0, 0.0, 0.0]
    for _ in range(4):  # pairs change with the offset
        moved = {name: np.asarray(table[name]) for name in table}
        moved |= {f"{axis}_nm": moved[f"{axis}_nm"] - off for axis, off in zip("xyz", offset, strict=True)}
        rows, columns = match(true, Localizations(moved), RULES.tolerance_nm, RULES.axial_tolerance_nm)
        biases = (float(np.mean(moved[f"{axis}_nm"][columns] - true[f"{axis}_nm"][rows])) for axis in "xyz")
        offset = [off + bias for off, bias in zip(offset, biases, strict=True)]
    return score(true, Localizations(moved), RULES), offset


def report(data: Path, model: str, mode: str, work: Path) -> None:
    out = replay(data / "MT0.N1.LD_AS_frames1-64.tif", CAMERA, model, mode, work / mode)
    table, true = read_table(out / "table.parquet"), truth(data)
    s, offset = without_offset(true, table)
    shift = ", ".join(f"{off:+.0f}" for off in offset)
    print(
        f"{Path(model).stem}, refine {mode:8}: {len(table)} for {len(true)}, {s.matched} matched, "
        f"Jaccard {s.jaccard:.3f}, RMSE lateral {s.rmse_lateral_nm:.1f} nm, axial {s.rmse_axial_nm:.1f} nm, "
        f"efficiency {s.efficiency_lateral:.0f}, {s.efficiency_axial:.0f} %; offset {shift} nm taken out",
        flush=True,
    )


def main() -> None:
    told = arguments(__doc__)
    if told.prepare:
        prepare(told.prepare)
    if told.model:
        for model in (SHIPPED, str(told.model)):
            with tempfile.TemporaryDirectory() as work:
                for mode in MODES:
                    report(told.data / "smlm-challenge-2016", model, mode, Path(work))


if __name__ == "__main__":
    main()
