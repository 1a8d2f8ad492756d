"""Molecules against the sample space: false alarms over a million matched ones, and how soon others are found.

    OMP_NUM_THREADS=1 PYTHONPATH=. python tests/benchmarks/guard_coverage.py [--molecules 1000000]

Tables of 40 molecules a frame that stay on for 3 frames on average, in batches of 16 frames; values as the training of
the astigmatic localizer draws them, times what the line says. One false alarm in ten hours of 28 batches a second is
the stated rate; the largest evidence of matched molecules stands beside the limit, in natural logarithms. Cost is
processor time.
"""

import argparse
import time

import numpy as np

from models.guard.coverage.coverage import Coverage
from models.sample_space import LOCALIZER_3D
from tests.models.guard.coverage.samples import BATCH, SIDE_NM, Sample, scaled

REFERENCE = {"sigma_x_nm": (5.0, 30.0)}
LONGEST_BATCHES = 300


def moved(columns: dict, rng: np.random.Generator) -> None:
    columns["z_nm"] += 300.0


OTHERS = {
    "photons x1.5": {"change": scaled("photons", 1.5)},
    "photons x5": {"change": scaled("photons", 5)},
    "photons x5, drawn to the end": {"change": scaled("photons", 5, 10_000)},
    "photons / 10": {"change": scaled("photons", 0.1)},
    "background x4": {"change": scaled("background", 4)},
    "z 300 nm up": {"change": moved},
    "z x1.5, drawn to the end": {"change": scaled("z_nm", 1.5, 600)},
    "uncertainty x1.5": {"change": scaled("sigma_x_nm", 1.5)},
    "density x4 (4 per um^2)": {"per_frame": 4 * 164.0},
    "on for 40 frames": {"on_frames": 40.0},
}


def new() -> Coverage:
    return Coverage(LOCALIZER_3D, SIDE_NM, SIDE_NM, REFERENCE)


def null(molecules: int) -> None:
    sample, coverage, alarms, largest, spent, batches = Sample(LOCALIZER_3D), new(), 0, 0.0, 0.0, 0
    while sample.molecules < molecules:
        table, index = sample.batch()
        began = time.process_time()
        coverage.take(table, index)
        spent, batches = spent + time.process_time() - began, batches + 1
        alarms += bool(coverage.findings())
        largest = max(largest, *(edge.total for edge in coverage._edges))
    limit = coverage._edges[0].limit
    print(
        f"{sample.molecules:,} matched molecules: {alarms} batches with findings; evidence {largest:.1f} of {limit:.1f}"
    )
    print(f"{1e6 * spent / batches / BATCH:.0f} us a frame")


def delay(name: str, other: dict) -> None:
    sample, coverage = Sample(LOCALIZER_3D, **other), new()
    for batch in range(LONGEST_BATCHES):
        coverage.take(*sample.batch())
        if found := coverage.findings():
            print(f"| {name} | {(batch + 1) * BATCH} | {sample.molecules} | {found[0].cause} |", flush=True)
            return
    print(f"| {name} | none | {sample.molecules} | |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--molecules", type=int, default=1_000_000)
    told = parser.parse_args()
    print("| what is other | frames until found | molecules until then | said |")
    for name, other in OTHERS.items():
        delay(name, other)
    null(told.molecules)


if __name__ == "__main__":
    main()
