"""The phase network, alone and before a fit: how far from the truth, how often a fit arrives, and how long it takes.

    python tests/benchmarks/phase.py [--model moeckl-phase-fast] [--stacks 24] [--rms 0.4 0.5] [--picture basin.png]

Simulated stacks of the network's own optics, five slices, 20,000 photons each, 20 of background per pixel; w: total
root mean square of Noll 5 to 28, all modes alike. A fit has arrived if its wavefront is within 0.05 waves; it is
accepted if the data are explained and the bound of its error is below 0.05 waves. With --picture, fits that start at a
stated distance from the truth, whatever the network says: the map of the basin.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.aberrations.scoring import PHOTONS, errors_waves, held_out
from models.aberrations.space import objective_of
from models.aberrations.stacks import Stacks
from models.aberrations.wavefront import SHAPE, Position, mapping, vector
from models.beads.starts import USUAL, Start, best_start
from models.fitting.retrieval import retrieve
from models.fitting.retrieved import Retrieved
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot
from models.sample_space import SampleSpace
from stream import zoo
from stream.engines.onnx_runtime import OnnxRuntimeEngine

Float64 = NDArray[np.float64]
RMS_WAVES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
PHOTON_COUNTS = (1e3, 3e3, 1e4, 1e5, 1e6)
ARRIVED_WAVES = 0.05
BASIN_WAVES, DISTANCES_WAVES = (0.2, 0.4, 0.6, 0.8, 1.0), (0.1, 0.15, 0.2, 0.25, 0.3, 0.4)


class Judge:
    """Fits of stacks, and what became of them."""

    def __init__(self, space: SampleSpace, size_px: int, focus_nm: Float64) -> None:
        self._focus, self._position = focus_nm, Position.of(objective_of(space))
        pixel = space.number("pixel_size_nm")
        self.spot = VectorialSpot(Setup(objective_of(space)), pixel, size_px)

    def start(self, waves: Float64) -> Start:
        """Where a fit begins that believes these coefficients."""
        return Start(mapping(waves), self._position.nm(waves))

    def fit(self, counts: Float64, start: Start) -> Retrieved:
        """Fit a stack from a start."""
        return retrieve(self.spot, [counts], self._focus, SHAPE, start.waves, places_nm=[start.place_nm])

    def error(self, found: Retrieved, truth: Float64) -> float:
        """Wavefront error with the position in it."""
        bead, waves = found.beads[0], vector(found.zernike_waves)
        waves[:3] = self._position.waves(*(np.array([v]) for v in (bead.x_nm, bead.y_nm, bead.focus_nm)))[0]
        return float(np.linalg.norm(waves - truth))

    def run(self, stacks: Stacks, starts: list[list[Start]]) -> str:
        """Fit each stack from its starts; returns a line."""
        arrived, accepted_wrong, errors, bounds, seconds = 0, 0, [], [], []
        for counts, truth, own in zip(stacks.counts.numpy(), stacks.waves.numpy(), starts, strict=True):
            began, counts = time.perf_counter(), counts.astype(float)
            if len(own) == 1:
                found = self.fit(counts, own[0])
            else:
                found = best_start(self.spot, counts, self._focus, SHAPE, own)
            seconds.append(time.perf_counter() - began)
            error = self.error(found, truth.astype(float))
            if error < ARRIVED_WAVES:
                arrived += 1
                errors.append(error)
                bounds.append(found.error_waves)
            elif found.explained and found.error_waves < ARRIVED_WAVES:
                accepted_wrong += 1
        middle = f"{np.median(errors):.4f} (bound {np.median(bounds):.4f})" if errors else "-"
        time_s = float(np.median(seconds))
        return f"{arrived:3d} of {len(starts)}, error {middle:24s} wrong but accepted {accepted_wrong}, {time_s:.2f} s"


def basin(judge: Judge, space: SampleSpace, size_px: int, count: int) -> Float64:
    """Share of fits that arrive, by total wavefront error and by the start's distance from the truth."""
    rng, share = np.random.default_rng(5), np.zeros((len(BASIN_WAVES), len(DISTANCES_WAVES)))
    for row, rms in enumerate(BASIN_WAVES):
        stacks = held_out(space, size_px, rms, PHOTONS, count, 300 + row)
        for column, distance in enumerate(DISTANCES_WAVES):
            for counts, truth in zip(stacks.counts.numpy(), stacks.waves.numpy(), strict=True):
                off = rng.normal(size=len(SHAPE))
                off *= distance / np.linalg.norm(off)
                start = judge.start(truth.astype(float) + np.concatenate(([0, 0, 0], off)))
                found = judge.fit(counts.astype(float), start)
                share[row, column] += judge.error(found, truth.astype(float)) < ARRIVED_WAVES
    return share / count


def draw(share: Float64, path: Path) -> None:
    """The basin as a picture."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panel = plt.subplots(figsize=(6, 4.5), layout="constrained")
    picture = panel.imshow(share, vmin=0, vmax=1, cmap="viridis", origin="lower", aspect="auto")
    panel.set_xticks(range(len(DISTANCES_WAVES)), [f"{d:g}" for d in DISTANCES_WAVES])
    panel.set_yticks(range(len(BASIN_WAVES)), [f"{w:g}" for w in BASIN_WAVES])
    for (row, column), value in np.ndenumerate(share):
        panel.text(column, row, f"{100 * value:.0f}", ha="center", va="center", color="w" if value < 0.6 else "k")
    panel.set(xlabel="start's distance from the truth, waves rms", ylabel="total wavefront error, waves rms",
              title="fits that arrive, %")  # fmt: skip
    figure.colorbar(picture)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="moeckl-phase-fast")
    parser.add_argument("--stacks", type=int, default=24)
    parser.add_argument("--rms", type=float, nargs="*", default=RMS_WAVES, help="w of the stacks that are fitted")
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    engine = OnnxRuntimeEngine(zoo.find(args.model), threads=1)
    space, size = engine.card.sample_space, engine.card.multiple_px

    def predict(stacks: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(engine.run({"stack": stacks})["waves"], np.float32)

    focus = np.linspace(space.number("first_focus_nm"), space.number("last_focus_nm"), int(space.number("slices")))
    judge = Judge(space, size, focus)
    one = held_out(space, size, 0.3, PHOTONS, 1, 0).counts.numpy()
    began = time.perf_counter()
    for _ in range(50):
        predict(one)
    print(f"network: {(time.perf_counter() - began) / 50 * 1e3:.1f} ms a stack, one thread")
    print("network alone, median error in waves: rows photons of a slice, columns w")
    print("         " + "".join(f"{rms:8g}" for rms in RMS_WAVES))
    for photons in PHOTON_COUNTS:
        row = [
            np.median(errors_waves(predict, held_out(space, size, rms, photons, 64, 100 + k)))
            for k, rms in enumerate(RMS_WAVES)
        ]
        print(f"{photons:9g}" + "".join(f"{value:8.3f}" for value in row), flush=True)
    for rms in args.rms:
        stacks = held_out(space, size, rms, PHOTONS, args.stacks, 200 + round(100 * rms))
        said = [judge.start(waves.astype(float)) for waves in predict(stacks.counts.numpy())]
        print(f"w {rms:g}")
        print("  from zero     ", judge.run(stacks, [[Start({})] for _ in said]), flush=True)
        print("  from network  ", judge.run(stacks, [[start] for start in said]), flush=True)
        print("  from several  ", judge.run(stacks, [[start, *USUAL] for start in said]), flush=True)
    if args.picture:
        draw(basin(judge, space, size, max(args.stacks // 3, 4)), args.picture)


if __name__ == "__main__":
    main()
