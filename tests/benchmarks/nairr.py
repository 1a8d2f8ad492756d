"""NAIRR-SMLM 3DAS_LD: other people's astigmatic simulation and leaderboard (SunCCNY/NAIRR-SMLM).

    python tests/benchmarks/nairr.py --data ../shared/data --prepare runs/nairr
    livesmlm train default --psf runs/nairr/nairr.npz --sample-space runs/nairr/nairr.toml --steps N \\
        --out runs/nairr/fast
    livesmlm export runs/nairr/fast --out runs/nairr/nairr-fast.onnx
    python tests/benchmarks/nairr.py --data ../shared/data --model runs/nairr/nairr-fast.onnx

Spot, photons, background and noise are those that the data set states. Frames without an emitter are not in its file;
they are put back as noise. Root mean square minimum distance: Sun, Sci. Reports 8, 17211 (2018), all localizations of
the movie against all emitters, in three dimensions; the leaderboard's is a variant with a partition (Sun 2022).
"""

import tempfile
from pathlib import Path

import numpy as np
from replayed import MODES, arguments, replay
from scipy.spatial import cKDTree
from tifffile import imread

from models.localizations import Localizations
from models.metrics import Rules, score
from models.optics.arrays import Array
from models.optics.gaussian import GaussianSpot, Width, Widths
from models.optics.low_rank_build import low_rank
from stream.readers.tables import read_table

PIXEL_NM, DEPTH_NM, FRAMES = 100.0, 400.0, 1000
OFFSET, BACKGROUND, NOISE = 500.0, 30.0, 20**0.5
LEADERBOARD = {"UGIA-F (bound, frame by frame)": 25.97, "DECODE": 32.49, "ThunderSTORM": 60.36, "3D-DAOSTORM": 76.12}
CAMERA = {
    "pixel_size_nm": 100,
    "offset_adu": 500,
    "gain_e_per_adu": 1,
    "read_noise_e": 4.47,
    "em_gain": 1,
    "quantum_efficiency": 1,
    "bit_depth": 16,
}
SPACE = """
[space]
pixel_size_nm = [98, 102]
z_nm = [-400, 400]
photons = [800, 6000, "log-uniform"]
background_e = [10, 60, "log-uniform"]
background_contrast = [0, 0.1]
density_per_um2 = [0.02, 1.5, "soft-log"]
on_time_frames = [0.7, 4, "log-uniform"]
read_noise_e = [3, 6]
em_share = 0
hot_share = 0
"""


def curve(z: Array, focus: float, waist: float, third: float, fourth: float) -> Width:
    """Width and its slope: waist (1 + u^2 + third u^3 + fourth u^4)^(1/2), u = (z - focus) / 290 nm."""
    u = (z - focus) / 290.0
    width = waist * (1 + u**2 + third * u**3 + fourth * u**4) ** 0.5
    return width, waist**2 / (2 * width) * (2 * u + 3 * third * u**2 + 4 * fourth * u**3) / 290.0


def widths() -> Widths:
    return Widths(lambda z: (curve(z, -205, 140, 0.05, 0.03), curve(z, 205, 135, -0.01, 0.02)))


def prepare(folder: Path) -> None:
    """Write the spots and the sample space."""
    folder.mkdir(parents=True, exist_ok=True)
    spot = low_rank(GaussianSpot(widths(), PIXEL_NM, 25), (-DEPTH_NM - 50, DEPTH_NM + 50), 48, 25, reach_px=0)
    spot.save(folder / "nairr.npz")
    (folder / "nairr.toml").write_text(SPACE)
    print(f"spots: mean error {spot.quality.mean_error:.1e}, at most {spot.quality.max_error:.1e}")


def movie(data: Path) -> np.ndarray:
    """All frames, those without an emitter as noise."""
    stored = imread(next(data.glob("*.tif")))
    index = np.loadtxt(next(data.glob("*frame_index.txt")), int) - 1
    rng, shape = np.random.default_rng(1), (FRAMES, *stored.shape[1:])
    frames = OFFSET + rng.poisson(BACKGROUND, shape) + rng.normal(0, NOISE, shape)
    frames[index] = stored
    return np.rint(frames).astype(np.uint16)


def truth(data: Path) -> Localizations:
    rows = np.genfromtxt(next(data.glob("*xyz.csv")), delimiter=",", skip_header=1)
    return Localizations({"frame": rows[:, 1] - 1, "x_nm": rows[:, 3], "y_nm": rows[:, 4], "z_nm": rows[:, 5]})


def minimum_distance(found: np.ndarray, emitters: np.ndarray) -> float:
    """RMSMD of points (n, 3) and (m, 3)."""
    to_emitter, _ = cKDTree(emitters).query(found)
    to_found, _ = cKDTree(found).query(emitters)
    return float(np.sqrt((np.sum(to_emitter**2) + np.sum(to_found**2)) / (len(found) + len(emitters))))


def report(data: Path, model: Path, mode: str, work: Path) -> None:
    np.save(work / "movie.npy", movie(data))
    out = replay(work / "movie.npy", CAMERA, str(model), mode, work / mode)
    table, true = read_table(out / "table.parquet"), truth(data)
    result = score(true, table, Rules())
    columns = ("x_nm", "y_nm", "z_nm")
    found, emitters = (np.column_stack([np.asarray(rows[name], float) for name in columns]) for rows in (table, true))
    near = cKDTree(emitters).query(found)[0] < 250
    distance = minimum_distance(found[near], np.unique(emitters.round(3), axis=0))
    spatial = np.hypot(result.rmse_lateral_nm, result.rmse_axial_nm)
    print(
        f"refine {mode:8}: {len(table)} of {len(true)}, Jaccard {result.jaccard:.3f}, RMSE x {result.rmse_x_nm:.1f} "
        f"y {result.rmse_y_nm:.1f} z {result.rmse_axial_nm:.1f}, in space {spatial:.1f} nm; "
        f"RMSMD {distance:.1f} nm ({(~near).sum()} farther than 250 nm from any emitter left out)"
    )


def main() -> None:
    told = arguments(__doc__)
    data = told.data / "nairr-3das" / "3DAS_LD"
    if told.prepare:
        prepare(told.prepare)
    if told.model:
        print("leaderboard / nm: " + ", ".join(f"{name} {value}" for name, value in LEADERBOARD.items()))
        with tempfile.TemporaryDirectory() as work:
            for mode in MODES:
                report(data, told.model, mode, Path(work))


if __name__ == "__main__":
    main()
