"""One strongly aberrated image: a fit that starts where the network says, against fits from random starts.

    python tests/benchmarks/one_image.py --model runs/paine-fienup/paine-fienup.onnx [--images 24] [--random 10]

Paine & Fienup 2018, with our image: a point at a known defocus, Noll 5 to 21, 100,000 photons, 20 of background per
pixel; w: total root mean square. A fit has arrived if its wavefront is within 0.05 waves. `random n`: the best of n
fits by chi-square, from starts of the same total w.
"""

import argparse
import time

import numpy as np

from models.aberrations.scoring import held_out
from models.aberrations.space import objective_of
from models.aberrations.wavefront import Position, mapping, vector
from models.beads.starts import Start
from models.fitting.retrieval import retrieve
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot
from models.systems.paine_fienup import MODES
from stream import zoo
from stream.engines.onnx_runtime import OnnxRuntimeEngine

RMS_WAVES = (0.1, 0.2, 0.3, 0.4, 0.5)
PHOTONS, ARRIVED_WAVES = 1e5, 0.05
MIDDLE = (0.0, 0.0, 0.0)
"""Where the bead is about, and its focus: the defocus is known."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--random", type=int, default=10)
    args = parser.parse_args()
    engine, rng = OnnxRuntimeEngine(zoo.find(args.model), threads=1), np.random.default_rng(3)
    space, size = engine.card.sample_space, engine.card.multiple_px
    focus = np.array([space.number("first_focus_nm")])
    position = Position.of(objective_of(space))
    spot = VectorialSpot(Setup(objective_of(space)), space.number("pixel_size_nm"), size)
    for number, rms in enumerate(RMS_WAVES):
        stacks = held_out(space, size, rms, PHOTONS, args.images, 400 + number, MODES)
        said = np.asarray(engine.run({"stack": stacks.counts.numpy()})["waves"], float)
        outcome = {"network": [0, 0.0], "zero": [0, 0.0], **{f"random {n}": [0, 0.0] for n in (1, args.random)}}
        raw = []
        for counts, truth, guess in zip(stacks.counts.numpy(), stacks.waves.numpy(), said, strict=True):
            truth = truth.astype(float)
            raw.append(float(np.linalg.norm(guess - truth)))
            directions = rng.normal(size=(args.random, len(MODES)))
            directions *= rms / np.linalg.norm(directions, axis=1, keepdims=True)
            drawn = [Start(dict(zip(MODES, row.tolist(), strict=True)), MIDDLE) for row in directions]
            for name, starts in {
                "network": [Start(mapping(guess), position.nm(guess))],
                "zero": [Start({}, MIDDLE)],
                "random 1": drawn[:1],
                f"random {args.random}": drawn,
            }.items():
                began = time.perf_counter()
                stack = [counts.astype(float)]
                fits = [retrieve(spot, stack, focus, MODES, s.waves, places_nm=[s.place_nm]) for s in starts]
                found = min(fits, key=lambda fit: fit.chi2)
                outcome[name][1] += time.perf_counter() - began
                bead, waves = found.beads[0], vector(found.zernike_waves)
                waves[:3] = position.waves(*(np.array([v]) for v in (bead.x_nm, bead.y_nm, bead.focus_nm)))[0]
                outcome[name][0] += np.linalg.norm(waves - truth) < ARRIVED_WAVES
        line = ", ".join(
            f"{name} {won} of {args.images} ({s / args.images:.2f} s)" for name, (won, s) in outcome.items()
        )
        print(f"w {rms:g}: network alone {np.median(raw):.3f} waves; arrived from {line}", flush=True)


if __name__ == "__main__":
    main()
