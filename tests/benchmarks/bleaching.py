"""Bleaching steps: counted rightly by signal to noise, on real traces, and the light of spots in a simulated movie.

    PYTHONPATH=. python tests/benchmarks/bleaching.py counts MODEL... [--traces 1000]
    PYTHONPATH=. python tests/benchmarks/bleaching.py real MODEL... [--data ../shared/data]
    PYTHONPATH=. python tests/benchmarks/bleaching.py light [--spots 100] [--frames 200]

`counts` is `livesmlm evaluate`: the network beside the step finder of Kalafut & Visscher. `real`: 20 traces that show 3
to 6 steps by eye; the share for which each says so, and what it says. `light`: photometry beside a sum over pixels less
the median of the border, for spots as far from their neighbours as given: bias, noise over the stated one, and what a
neighbour that bleaches leaves behind, in percent of its light.
"""

import argparse
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from models.backgrounds.crops import border_median, corners, cut
from models.bleaching.photometry import filters, gaussian
from models.bleaching.scoring import classical_counter
from models.camera import Camera
from models.optics.render import render
from stream.bleaching.opening import step_counter
from stream.commands.evaluate_traces import CLASSICAL, predictor, traces_in_terminal

PIXEL_NM, SIGMA_NM, PHOTONS, BACKGROUND = 100.0, 130.0, 1000.0, 15.0
APERTURE_PX = 8
DISTANCES_NM = (2000, 800, 600, 400, 300, 200)
STEPS_BY_EYE = (3, 6)


def real(models: list[str], data: Path) -> None:
    folder = data / "bleaching-traces"
    table = np.genfromtxt(folder / "ExampleStack_difference.csv", delimiter=",", skip_header=2)
    traces = np.concatenate((table[:, 6:], np.loadtxt(folder / "ExampleTrace.txt"))).astype(np.float32)
    said = {CLASSICAL: classical_counter(traces)}
    for name in models:
        with closing(step_counter(name, "MODEL")) as engine:
            said[name] = predictor(engine)(traces).argmax(1)
    low, high = STEPS_BY_EYE
    for name, steps in said.items():
        inside = ((steps >= low) & (steps <= high)).mean()
        print(f"{name}: {inside:.0%} of {len(traces)} have {low} to {high} steps; {' '.join(map(str, steps))}")


def light(spots: int, frames: int) -> None:
    rng, camera, spot = np.random.default_rng(1), Camera(gain_adu_per_e=2.0, read_noise_e=1.5), gaussian(SIGMA_NM, 100)
    print("distance/nm | bias/% noise/stated left/% (joint) | bias/% left/% (aperture)")
    for distance in DISTANCES_NM:
        side = int(np.sqrt(spots)) + 1
        middle = 4000 * (0.5 + np.stack(np.divmod(np.arange(spots), side), axis=1)) + rng.uniform(-50, 50, (spots, 2))
        place = np.concatenate((middle, middle + np.array([distance, 0])))
        place, shape = np.column_stack((place, np.zeros(2 * spots))), (40 * side, 40 * side)
        none = np.zeros(2 * spots, np.int64)
        both, one = (
            render(spot, place, np.repeat([PHOTONS, other], spots), none, (1, *shape))[0] + BACKGROUND
            for other in (PHOTONS, 0.0)
        )
        made = filters(spot, place, both, camera)
        found = []
        began = time.perf_counter()
        for mean in (both, one):
            counts = camera.photo_electrons(np.stack([camera.expose(mean, rng) for _ in range(frames)]))
            values, variance = made.measure(counts, camera.variance_e2, camera.excess)
            window = cut(counts.mean(0)[None], none[:spots], corners(middle / PIXEL_NM, APERTURE_PX), APERTURE_PX)
            sums = (window - border_median(window)[:, None, None]).sum((1, 2))
            found.append((values[:, :spots], variance[:, :spots], sums))
        rate = 2 * frames * 2 * spots / (time.perf_counter() - began)
        (before, spread, sum_before), (after, _, sum_after) = found
        noise = before.std(0).mean() / np.sqrt(spread.mean())
        bias, left = before.mean() / PHOTONS - 1, (before.mean() - after.mean()) / PHOTONS
        wide, wide_left = sum_after.mean() / PHOTONS - 1, (sum_before.mean() - sum_after.mean()) / PHOTONS
        ours = f"{100 * bias:+.2f} {noise:.3f} {100 * left:+.2f}"
        print(f"{distance:5d} | {ours} | {100 * wide:+.1f} {100 * wide_left:+.1f}")
    print(f"{rate:.0f} spots times frames per second, the camera's simulation included")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("counts", "real", "light"))
    parser.add_argument("models", nargs="*")
    parser.add_argument("--traces", type=int, default=1000)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--spots", type=int, default=100)
    parser.add_argument("--frames", type=int, default=200)
    args = parser.parse_args()
    if args.what == "counts":
        traces_in_terminal(args.models, args.traces, None, as_json=False)
    elif args.what == "real":
        real(args.models, args.data)
    else:
        light(args.spots, args.frames)


if __name__ == "__main__":
    main()
