"""The mean molecule of the guard: how flat it is where all is as in the training, what it shows else, what it costs.

    python tests/benchmarks/guard_residual.py [--model astigmatic-fast] [--molecules 2000]

Scenes of one sample, located by the model: by height the largest difference from what was expected, as a part of the
peak and in its standard errors; then the time that the picture takes over all that is done to the same molecules.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from export.guard import bench_for
from export.subjects import subject_of
from models.guard.molecules import matched, measures
from models.guard.molecules.guard_file import Guard
from models.guard.molecules.matched import MATCHED, Conditions, Mismatch
from models.guard.molecules.optics import Change
from models.guard.molecules.residual_image import ResidualImage
from models.guard.molecules.sequential import Sums
from stream import zoo

USUAL = Conditions(2000.0, 15.0, 0.1, 0.3, 2.0, 1.5, False, 0.95, 1.3)
IN_DEPTH = {"as in the training": MATCHED} | {
    f"coma {waves:g} waves": Mismatch(Change(8, waves)) for waves in (0.02, 0.05, 0.1)
}
IN_FOCUS = {"as in the training": MATCHED}


class Watched:
    """Molecules of scenes, looked at as in a run; the time of each step."""

    def __init__(self, model: str) -> None:
        path = zoo.find(model)
        self.subject = subject_of(path)
        self._bench, self._guard = bench_for(path, self.subject), Guard.load(zoo.guard_of(model))
        self.seconds: Counter[str] = Counter()

    def look(self, mismatch: Mismatch, molecules: int):
        """Return the mean of so many molecules."""
        rng, image, sums = np.random.default_rng(5), None, Sums(self._guard.reference, self._guard.rules)
        spot, known = self.subject.spot(USUAL, mismatch, rng), self._guard.reference
        while sums.molecules < molecules:
            stack, camera = matched.frames(USUAL, spot, self.subject.depth_nm, mismatch, rng)
            table, optics = self._bench.locate(stack, camera), self.subject.optics(camera)
            frame = np.asarray(table["frame"], np.int64)
            rows = measures.alone(table, frame, stack.shape[1:], optics.spot)
            rows = rows[np.asarray(table["photons"])[rows] > self._guard.least_counts]
            if not len(rows):
                continue
            counts = np.asarray(camera.photo_electrons(stack), np.float32)
            seen = self._timed("look", measures.look, counts, frame, table, rows, optics, self._guard.templates)
            deviations = self._timed("reference", known.deviations, seen.measures, seen.conditions)
            self._timed("sums", sums.take, deviations)
            image = image or ResidualImage(optics)
            self._timed("picture", image.take, seen)
        return image.mean()

    def _timed(self, name: str, step, *given):
        began = time.process_time()
        result = step(*given)
        self.seconds[name] += time.process_time() - began
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="astigmatic-fast")
    parser.add_argument("--molecules", type=int, default=2000)
    told = parser.parse_args()
    watched = Watched(told.model)
    cases = IN_DEPTH if watched.subject.depth_nm else IN_FOCUS
    watched.look(MATCHED, 50)  # compiles
    watched.seconds.clear()
    print("| wrong | height: molecules, largest difference of the peak, in standard errors |\n|---|---|")
    for name, mismatch in cases.items():
        found = watched.look(mismatch, told.molecules)
        difference, error = found.images[2:]
        known = np.isfinite(difference).all((1, 2))
        print(f"| {name} | " + "; ".join(
            f"{z:.0f} nm: {n:.0f}, {np.abs(d).max():.1%}, {np.abs(d / e).max():.1f}"
            for z, n, d, e, k in zip(found.z_nm, found.molecules, difference, error, known, strict=True) if k
        ) + " |", flush=True)  # fmt: skip
    whole = sum(watched.seconds.values())
    print(f"picture: {watched.seconds['picture'] / whole:.1%} of the time that molecules take", dict(watched.seconds))


if __name__ == "__main__":
    main()
