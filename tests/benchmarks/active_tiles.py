"""Only where there is light: the network on active tiles beside whole frames, in one run.

    python tests/benchmarks/active_tiles.py [--side 512] [--frames 16] [--seconds 6]

A disc of the field has molecules (0.25 per um^2 and frame, 1,000 photo-electrons), or single ones are anywhere. A line
has: share of the field that is computed, frames per second with and without tiles, what the cheap look takes of that,
and of the molecules that whole frames find how many active tiles do not, true ones and others. Rounds alternate.
"""

import argparse
import time
from contextlib import ExitStack, closing

import numpy as np
from gpu import CAMERA, maps
from scipy.spatial import cKDTree

from stream import zoo
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.engines.activity import Activity
from stream.engines.tiles import parts

PHOTONS, BACKGROUND, SIGMA_PX, DENSITY_PER_UM2, PIXEL_UM = 1000.0, 10.0, 1.3, 0.25, 0.1
DISCS = (0.02, 0.1, 0.3, 1.0)
SINGLE_PER_UM2 = (0.0005,)
NEAR_PX = 2.0


def emitters(side: int, share: float, density: float, rng: np.random.Generator) -> np.ndarray:
    """(n, 2) y, x in a disc that has this share of the field; all of it for 1."""
    radius = side * np.sqrt(share / np.pi)
    count = rng.poisson(density * share * (side * PIXEL_UM) ** 2)
    angle, away = rng.uniform(0, 2 * np.pi, count), radius * np.sqrt(rng.uniform(0, 1, count))
    disc = side / 2 + np.column_stack((away * np.sin(angle), away * np.cos(angle)))
    return rng.uniform(0, side, (count, 2)) if share == 1 else disc


def movie(side: int, share: float, density: float, frames: int) -> tuple[np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(1)
    truth = [emitters(side, share, density, rng) for _ in range(frames)]
    expected = np.full((frames, side, side), BACKGROUND)
    near = np.arange(-8, 9)
    for image, places in zip(expected, truth, strict=True):
        for y, x in places:
            rows, columns = int(y) + near, int(x) + near
            inside = np.ix_((rows >= 0) & (rows < side), (columns >= 0) & (columns < side))
            spot = np.exp(-((rows[:, None] + 0.5 - y) ** 2 + (columns + 0.5 - x) ** 2) / (2 * SIGMA_PX**2))
            at = np.ix_(rows[(rows >= 0) & (rows < side)], columns[(columns >= 0) & (columns < side)])
            image[at] += PHOTONS / (2 * np.pi * SIGMA_PX**2) * spot[inside]
    return CAMERA.expose(expected, rng), truth


def lost(whole: tuple, active: tuple, truth: list[np.ndarray]) -> tuple[int, int]:
    """Count what only whole frames find: where there is a molecule, and where there is none."""
    true = false = 0
    for frame, places in enumerate(truth[:-1]):
        rows, kept = (table[frames == frame, :2] for frames, table in (whole, active))
        gone = rows if not len(kept) else rows[cKDTree(kept).query(rows)[0] > 1e-3] if len(rows) else rows
        there = cKDTree(places[:, ::-1]).query(gone)[0] < NEAR_PX if len(places) and len(gone) else np.zeros(len(gone))
        true, false = true + int(np.sum(there)), false + int(np.sum(there == 0))
    return true, false


def measure(label: str, side: int, share: float, density: float, frames: int, seconds: float) -> None:
    pixels, truth = movie(side, share, density, frames)
    with ExitStack() as stack:
        plans = {}
        for tiles in ("all", "active"):
            settings = EngineSettings.model_validate({"threads": 1, "tiles": tiles})
            engine = stack.enter_context(closing(open_engine(zoo.find("2d-fast"), settings)))
            plans[tiles] = engine.plan(maps(side, engine.card))
        look = Activity(maps(side, engine.card))
        found = {tiles: plan.wait(plan.submit(pixels, anew=True)) for tiles, plan in plans.items()}
        spent, runs = dict.fromkeys((*plans, "look"), 0.0), dict.fromkeys((*plans, "look"), 0)
        while spent["all"] < seconds:
            for name in spent:
                began = time.perf_counter()
                if name == "look":
                    look.of(pixels)
                else:
                    plans[name].wait(plans[name].submit(pixels, anew=False))
                spent[name], runs[name] = spent[name] + time.perf_counter() - began, runs[name] + 1
    each = {name: spent[name] / runs[name] for name in spent}
    whole, active = ((rows.frame, rows.table) for rows in (found["all"], found["active"]))
    true, false = lost(whole, active, truth)
    area = sum(part.grown(64, 4, (side, side)).area_px for part in parts(look.of(pixels), (side, side), 64, 4))
    print(
        f"| {label} | {area / side**2:.2f} | {frames / each['all']:.1f} | {frames / each['active']:.1f} | "
        f"{each['all'] / each['active']:.2f} | {each['look'] / each['all']:.1%} | {len(whole[0])}, {true}, {false} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=6)
    told = parser.parse_args()
    print("| molecules | computed | frames/s, whole | active | ratio | the look | found, lost true, lost others |")
    for share in DISCS:
        measure(f"in {share:.0%} of the field", told.side, share, DENSITY_PER_UM2, told.frames, told.seconds)
    for density in SINGLE_PER_UM2:
        measure(f"{density} per um^2", told.side, 1.0, density, told.frames, told.seconds)


if __name__ == "__main__":
    main()
