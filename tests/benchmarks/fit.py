"""The fit against the Cramer-Rao bound, and how many fits per second a core does.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python tests/benchmarks/fit.py [--fits 2000]

Ratio: root mean square of error / bound. Pull: of error / stated sigma. 3,000 photons (1,000 in 2D) on 10 per pixel.
"""

import argparse
import time

import numpy as np

from models.fitting.fit import Options, fit
from models.fitting.start import guess
from models.optics import phase_masks
from models.optics.crlb import spot_bounds
from models.optics.expected import PARAMETERS, expected
from models.optics.gaussian import GaussianSpot, constant
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.spot import DifferentiableSpot
from models.optics.vectorial import VectorialSpot

FLAT = ("x_nm", "y_nm", "photons", "background")
PIXEL_NM = 100.0


def vectorial(mask: phase_masks.Mask | None, size: int, reach_nm: float, rank: int) -> DifferentiableSpot:
    exact = VectorialSpot(Setup(Objective(sample_index=1.518), mask=mask), PIXEL_NM, size + 4)
    return low_rank(exact, (-reach_nm, reach_nm), rank)


def report(name: str, spot: DifferentiableSpot, reach_nm: float, photons: float, count: int) -> None:
    rng = np.random.default_rng(1)
    known = PARAMETERS if reach_nm else FLAT
    z = rng.uniform(-reach_nm, reach_nm, count)
    truth = np.column_stack((rng.uniform(-50, 50, (count, 2)), z, np.full(count, photons), np.full(count, 10.0)))
    counts = rng.poisson(expected(spot, truth)[0]).reshape(-1, spot.size_px, spot.size_px).astype(np.float32)
    starts = np.arange(-reach_nm, reach_nm + 1, 150) if reach_nm else (0.0,)
    began = time.perf_counter()
    start = guess(spot, counts, starts)
    guessed = time.perf_counter()
    found = fit(spot, counts, start, options=Options(free=known))
    ended = time.perf_counter()
    bound, good = spot_bounds(spot, truth, free=known), found.converged
    error = found.parameters - truth
    columns = [(axis, PARAMETERS.index(axis)) for axis in known[: len(known) - 2]]
    ratios = [np.sqrt(np.mean((error[good, k] / bound[axis][good]) ** 2)) for axis, k in columns]
    pulls = [np.sqrt(np.mean((error[good, k] / found.sigma[good, k]) ** 2)) for _, k in columns]
    shown = " ".join(f"{value:.3f}" for value in (*ratios, *[np.nan] * (3 - len(ratios)), *pulls))
    size = f"{spot.size_px} x {spot.size_px}"
    speed = f"{count / (ended - guessed):,.0f} fits/s, {count / (guessed - began):,.0f} first guesses/s"
    print(f"{name:18} {size:8} {shown}  converged {good.mean():.4f}, steps {found.steps.mean():.1f}, {speed}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fits", type=int, default=2000)
    count = parser.parse_args().fits
    print("spot               window   error / bound x, y, z; pulls")
    report("gaussian", GaussianSpot(constant(130), PIXEL_NM), 0, 1000, count)
    report("2D, vectorial", vectorial(None, 13, 100, 16), 0, 1000, count)
    report("astigmatic", vectorial(phase_masks.astigmatism(), 13, 600, 48), 500, 3000, count)
    report("double helix", vectorial(phase_masks.double_helix(), 21, 1000, 72), 900, 3000, count)
    report("tetrapod, 3 um", vectorial(phase_masks.tetrapod(3), 31, 1500, 96), 1400, 3000, count)


if __name__ == "__main__":
    main()
