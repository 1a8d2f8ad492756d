"""Dense tubules: the image that a network draws beside localize-and-render and beside the sum of all frames.

    python tests/benchmarks/deep_storm.py MODEL.onnx [...] [--frames 60] [--out PICTURES]
    python tests/benchmarks/deep_storm.py MODEL.onnx --rate

Filaments of 64 x 64 pixels of 100 nm, spots of 130 nm, 2,000 photons, 10 photo-electrons of background, sCMOS. Density
is that of the whole field; along the filaments molecules are about ten times denser. What the errors are stands in
`models/images/scoring.py`; the best of each is starred. Pictures show truth and contestants side by side, each with its
own contrast.
`--rate` measures camera pixels per second of the networks on one thread, beside the usual localizer in the same run.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
from imagecodecs import png_encode

from models.evaluation.conditions import in_focus
from models.evaluation.dense import LEAST_PHOTONS, scene
from models.images.scoring import DENSITIES_PER_UM2, PHOTONS, SEED, STRUCTURE, nmse, sum_image, true_image
from stream import zoo
from stream.commands.evaluate_images import RIVAL, SUM, drawn, located
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.picture import colours

SHOWN_PX = 1.5
"""Pictures are shown under a Gaussian of so many super-resolved pixels: spikes alone cannot be seen."""
RATE_S = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rate", action="store_true")
    given = parser.parse_args()
    one_thread = EngineSettings(threads=1)
    with ExitStack() as stack:
        engines = [stack.enter_context(closing(open_engine(zoo.find(name), one_thread))) for name in given.models]
        rival, conditions = stack.enter_context(closing(open_engine(zoo.find(RIVAL), one_thread))), in_focus()
        contestants = {engine.card.name: drawn(engine) for engine in engines}
        contestants |= {RIVAL: located(rival, conditions), SUM: sum_image(conditions)}
        if given.rate:
            rates(contestants, conditions)
        else:
            errors(contestants, conditions, given.frames, given.out)


def errors(contestants: dict, conditions, frames: int, out: Path | None) -> None:
    print(f"{'density':>8}" + "".join(f"{name:>40}" for name in contestants) + "   nmse, nmse under 3 pixels, counted")
    least = LEAST_PHOTONS / conditions.camera.quantum_efficiency
    for density in DENSITIES_PER_UM2:
        stack, truth = scene(conditions, density, PHOTONS, frames, SEED, STRUCTURE)
        right = true_image(truth, stack.shape[1:], conditions.spot.pixel_size_nm, least)
        images = {name: draw(stack, conditions.camera) for name, draw in contestants.items()}
        figures = np.array([[nmse(image, right, blur) for blur in (1.0, 3.0)] for image in images.values()])
        best = figures.min(axis=0)
        cells = []
        for image, row in zip(images.values(), figures, strict=True):
            marked = [
                f"{value:.3f}{'*' if value == least_one else ' '}" for value, least_one in zip(row, best, strict=True)
            ]
            cells.append(f"{' '.join(marked)} {image.sum() / right.sum():6.2f}")
        print(f"{density:8g}" + "".join(f"{cell:>40}" for cell in cells), flush=True)
        if out is not None:
            show([right, *images.values()], out / f"density-{density:g}.png")


def show(images: list[np.ndarray], path: Path) -> None:
    """Write images side by side, negative light as none."""
    from scipy.ndimage import gaussian_filter

    path.parent.mkdir(parents=True, exist_ok=True)
    panes = []
    for image in images:
        soft = gaussian_filter(np.maximum(image, 0), SHOWN_PX).astype(np.float32)
        panes += [colours.hot(soft, colours.white_point(soft)), np.full((len(soft), 6, 3), 255, np.uint8)]
    path.write_bytes(png_encode(np.ascontiguousarray(np.concatenate(panes[:-1], axis=1))))


def rates(contestants: dict, conditions) -> None:
    stack, _ = scene(conditions, 1.0, PHOTONS, 16, SEED, STRUCTURE)
    measured = {}
    for name, draw in contestants.items():
        draw(stack, conditions.camera)
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < RATE_S:
            draw(stack, conditions.camera)
            count += stack.size
        measured[name] = count / (time.perf_counter() - began) / 1e6
    for name, rate in measured.items():
        print(f"{name:40} {rate:8.3f} Mpx/s  {rate / measured[RIVAL]:6.2f} of {RIVAL}")


if __name__ == "__main__":
    main()
