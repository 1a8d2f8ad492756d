"""Cost of drawing a batch of 1000 localizations, after 1e5, 1e6 and 1e7 were drawn: it must not grow.

Run `python tests/benchmarks/render.py`. Field: 512 x 512 camera pixels of 100 nm, super-resolved pixels of 10 nm,
localizations spread over all of it, sigma 8 to 20 nm.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from models.localizations import Localizations
from stream.render import Renderer, RenderSettings

FIELD_NM = 51_200.0
BATCHES = 200


def localizations(random: np.random.Generator, count: int) -> Localizations:
    x_nm, y_nm = random.uniform(0, FIELD_NM, (2, count))
    sigma_x_nm, sigma_y_nm = random.uniform(8, 20, (2, count))
    return Localizations(
        {"frame": np.zeros(count), "x_nm": x_nm, "y_nm": y_nm, "sigma_x_nm": sigma_x_nm, "sigma_y_nm": sigma_y_nm}
    )


def measure(renderer: Renderer, random: np.random.Generator) -> tuple[float, float]:
    """Return the median milliseconds to draw 1000 localizations, and to hand out the tiles that ten batches changed."""
    draw, hand_out = [], []
    for batch in range(BATCHES):
        table = localizations(random, 1000)
        start = time.perf_counter()
        renderer.add(table)
        draw.append(1e3 * (time.perf_counter() - start))
        if batch % 10 == 9:
            start = time.perf_counter()
            list(renderer.changed())
            hand_out.append(1e3 * (time.perf_counter() - start))
    return median(draw), median(hand_out)


def main() -> None:
    for method in ("gaussian", "histogram"):
        random = np.random.default_rng(1)
        renderer = Renderer(FIELD_NM, FIELD_NM, RenderSettings(method=method))
        first = None
        print(f"{method:10}{'drawn before':>14} {'ms / 1000':>10} {'ratio':>6} {'ms / sweep':>11} {'localizations/s':>16}")
        for before in (100_000, 1_000_000, 10_000_000):
            while renderer.drawn < before:
                renderer.add(localizations(random, min(50_000, before - renderer.drawn)))
            list(renderer.changed())
            draw, hand_out = measure(renderer, random)
            first = first or draw
            print(f"{'':10}{before:>14,} {draw:>10.2f} {draw / first:>6.2f} {hand_out:>11.1f} {1e6 / draw:>16,.0f}")


if __name__ == "__main__":
    main()
