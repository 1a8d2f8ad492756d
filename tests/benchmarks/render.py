"""Cost of drawing a batch of 1000 localizations after 1e5, 1e6 and 1e7 were drawn: it must not grow.

Run `python tests/benchmarks/render.py`. Field: 512 x 512 camera pixels of 100 nm, super-resolved pixels of 10 nm,
localizations spread over all of it, sigma 8 to 20 nm; times are of the processor. `per s` are localizations in batches
of 1000, `large batch` in batches of 20000. A sweep hands out the tiles that ten batches changed: here all of them. The
three are measured in turn, batch by batch, so that whatever else the computer does falls on all of them. The first
table is what the layers cost, drawn and packed in turn with a picture without them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial

import numpy as np

from models.localizations import Localizations
from stream.links.messages import pack_tile
from stream.picture.render import Renderer, RenderSettings

FIELD_NM = 51_200.0
BEFORE = (100_000, 1_000_000, 10_000_000)
ROUNDS, PACK_ROUNDS, BATCH, LARGE_BATCH = 20, 4, 1000, 20_000


def localizations(random: np.random.Generator, count: int) -> Localizations:
    x_nm, y_nm = random.uniform(0, FIELD_NM, (2, count))
    sigma_x_nm, sigma_y_nm = random.uniform(8, 20, (2, count))
    return Localizations(
        {
            "frame": np.arange(count),
            "x_nm": x_nm,
            "y_nm": y_nm,
            "z_nm": random.uniform(-400, 400, count),
            "sigma_x_nm": sigma_x_nm,
            "sigma_y_nm": sigma_y_nm,
            "photons": random.uniform(300, 3000, count),
        }
    )


def filled(settings: RenderSettings, random: np.random.Generator, count: int) -> Renderer:
    renderer = Renderer(FIELD_NM, FIELD_NM, settings)
    while renderer.drawn < count:
        renderer.add(localizations(random, min(LARGE_BATCH, count - renderer.drawn)))
    list(renderer.changed())
    return renderer


def milliseconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return 1e3 * (time.process_time() - start)


def consume(renderer: Renderer) -> None:
    deque(renderer.changed(), maxlen=0)


def publish(renderer: Renderer) -> None:
    """Do all that sending the changed tiles costs but the sending."""
    for tile in (
        *renderer.changed(),
        *(tile for name in renderer.layers.names for tile in renderer.layers.changed(name)),
    ):
        pack_tile(tile)


def compare_layers() -> None:
    """Draw the same batches with and without layers, and pack what they changed."""
    random = np.random.default_rng(1)
    choices = ((), ("z",), ("z", "time", "photons"))
    renderers = [Renderer(FIELD_NM, FIELD_NM, RenderSettings(colours=colours)) for colours in choices]
    draw_ms, publish_ms = np.zeros((2, len(choices), PACK_ROUNDS))
    for batch in range(PACK_ROUNDS):
        tables = [localizations(random, BATCH) for _ in range(10)]
        for number, renderer in enumerate(renderers):
            draw_ms[number, batch] = milliseconds(lambda: [renderer.add(table) for table in tables]) / 10  # noqa: B023
            publish_ms[number, batch] = milliseconds(partial(publish, renderer))
    print(f"{'layers':24}{'ms/batch':>13}{'ratio':>13}{'ms/packed':>13}{'ratio':>13}")
    draw, packed = np.median(draw_ms, axis=1), np.median(publish_ms, axis=1)
    for colours, draw_one, packed_one in zip(choices, draw, packed, strict=True):
        name = ", ".join(colours) or "none"
        print(
            f"{name:24}{draw_one:>13.2f}{draw_one / draw[0]:>13.2f}{packed_one:>13.0f}{packed_one / packed[0]:>13.2f}"
        )


def main() -> None:
    compare_layers()
    for method in ("gaussian", "histogram"):
        random = np.random.default_rng(1)
        renderers = [filled(RenderSettings(method=method), random, count) for count in BEFORE]
        draw_ms, sweep_ms, large_ms = (np.zeros((len(BEFORE), rounds)) for rounds in (10 * ROUNDS, ROUNDS, ROUNDS))
        for batch in range(10 * ROUNDS):
            for number, renderer in enumerate(renderers):
                draw_ms[number, batch] = milliseconds(partial(renderer.add, localizations(random, BATCH)))
                if batch % 10 == 9:
                    sweep_ms[number, batch // 10] = milliseconds(partial(consume, renderer))
        for batch in range(ROUNDS):
            for number, renderer in enumerate(renderers):
                large_ms[number, batch] = milliseconds(partial(renderer.add, localizations(random, LARGE_BATCH)))
        report(method, *(np.median(times, axis=1) for times in (draw_ms, sweep_ms, large_ms)))


def report(method: str, draw_ms: np.ndarray, sweep_ms: np.ndarray, large_ms: np.ndarray) -> None:
    names = ("ms/batch", "ratio", "ms/sweep", "per s", "large batch")
    print(f"{method:10}{'drawn before':>14}" + "".join(f"{name:>13}" for name in names))
    for before, draw, sweep, large in zip(BEFORE, draw_ms, sweep_ms, large_ms, strict=True):
        ratio, rate, large_rate = draw / draw_ms[0], 1e3 * BATCH / draw, 1e3 * LARGE_BATCH / large
        print(f"{before:>24,}{draw:>13.2f}{ratio:>13.2f}{sweep:>13.0f}{rate:>13,.0f}{large_rate:>13,.0f}")


if __name__ == "__main__":
    main()
