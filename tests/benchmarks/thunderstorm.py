"""ThunderSTORM's own lists and ours on three simulated movies, scored alike.

    python tests/benchmarks/thunderstorm.py [--data DIR] [--model 2d-fast]

The reference has its origin at the centre of the first pixel: half a pixel is added to it. Isolated: no other emitter
within 1000 nm in the same frame. Our lists are made by `livesmlm replay`, as a user would, without and with refinement.
"""

import argparse
import tempfile
from pathlib import Path

from replayed import ROOT, replay

from models.metrics import Rules, Score
from stream.commands.score import score_files

MOVIES = ("sparse", "medium", "low_snr")
RULES = Rules(tolerance_nm=250, isolated_nm=1000)
HALF_PIXEL_NM = 54.0
CAMERA = {
    "pixel_size_nm": 108,
    "offset_adu": 100,
    "gain_e_per_adu": 3.6,
    "em_gain": 100,
    "read_noise_e": 1.0,
    "quantum_efficiency": 1.0,
    "bit_depth": 16,
}
OURS = {"LiveSMLM": "off", "and refined": "all"}


def measure(locs: Path, truth: Path) -> Score:
    """Score one list."""
    return score_files(locs, truth, RULES, reference_offset_nm=(HALF_PIXEL_NM, HALF_PIXEL_NM))


def line(movie: str, program: str, result: Score) -> str:
    """Return one line of the table."""
    return (
        f"{movie:8s} {program:13s} {result.jaccard:8.3f} {result.precision:10.3f} {result.recall:7.3f} "
        f"{result.rmse_lateral_nm:8.1f} {result.rmse_isolated_nm:9.1f} {result.isolated:6d}"
    )


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "thunderstorm-synth" / "kept")
    options.add_argument("--model", default="2d-fast")
    options = options.parse_args()
    print("movie    program        Jaccard  precision  recall  RMSE/nm  isolated  pairs")
    for movie in MOVIES:
        truth = options.data / f"{movie}_108nm_gt.csv.gz"
        theirs = measure(options.data / f"{movie}_108nm_thunderstorm_wavelet.csv.gz", truth)
        print(line(movie, "ThunderSTORM", theirs))
        for name, mode in OURS.items():
            with tempfile.TemporaryDirectory() as work:
                stack = options.data / f"{movie}_108nm.tif"
                out = replay(stack, CAMERA, options.model, mode, Path(work) / movie)
                ours = measure(out / "locs.hdf5", truth)
            print(line(movie, name, ours))
            print(
                f"{movie:8s} {'ours / theirs':13s} {ours.jaccard / theirs.jaccard:8.3f} {'':18s} "
                f"{ours.rmse_lateral_nm / theirs.rmse_lateral_nm:8.2f} "
                f"{ours.rmse_isolated_nm / theirs.rmse_isolated_nm:9.2f}"
            )


if __name__ == "__main__":
    main()
