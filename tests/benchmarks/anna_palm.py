"""Predicted dense images: how near they come with few frames, and whether the error map tells what was never learned.

    python tests/benchmarks/anna_palm.py MODEL.onnx [--fields 24] [--out PICTURES]

Similarity (multi-scale, structural) to the dense image of held-out simulated fields, of prediction and sparse
image, by frames of 30,000. Then outlines of squares, circles, rectangles and triangles of 1 to 2 um, of which a
network has learned none, told that they are filaments: area under the curve of the error (root mean square) against
filaments of as many frames, and the share above the 95th percentile of filaments. Pictures show sparse image,
prediction and dense image side by side.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

import numpy as np
from imagecodecs import png_encode

from models.predicted.samples import FIELD, dense_image, field_of
from models.predicted.scoring import SEED, area_under_curve, by_frames, judged, settings_of
from models.predicted.space import FULL_FRAMES
from models.scenes.structures import filaments
from stream import zoo
from stream.commands.evaluate_prediction import predicting
from stream.config import EngineSettings
from stream.engines import open_engine

SHAPES = {"square": 4, "circle": 64, "rectangle": 4, "triangle": 3}
"""Corners."""
LOCALIZATIONS, OUTLINES, FRAMES = 20_000, 12, 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--fields", type=int, default=24)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with closing(open_engine(zoo.find(given.model), EngineSettings(threads=1))) as engine:
        predict = predicting(engine)
        similarity(predict, engine.card.sample_space, given.fields)
        doubt(predict, engine.card.sample_space, given.fields)
        if given.out:
            picture(predict, engine.card.sample_space, given.out)


def similarity(predict, space, fields: int) -> None:
    print(f"{'frames':>8}{'prediction':>12}{'sparse':>10}{'error':>10}")
    for frames, row in by_frames(predict, space, fields).items():
        print(f"{frames:>8}{row['predicted']:>12.3f}{row['sparse']:>10.3f}{row['error']:>10.4f}")


def doubt(predict, space, fields: int) -> None:
    known = [error(predict, space, SEED + k, filament_places) for k in range(fields)]
    limit = np.quantile(known, 0.95)
    print(f"filaments: error {np.mean(known):.4f}, 95th percentile {limit:.4f}, {FRAMES} frames")
    for name in SHAPES:
        unknown = [error(predict, space, SEED + k, lambda rng, name=name: outlines(name, rng)) for k in range(fields)]
        share = np.mean(np.array(unknown) > limit)
        print(f"{name}: error {np.mean(unknown):.4f}, AUC {area_under_curve(known, unknown):.3f}, flagged {share:.2f}")


def error(predict, space, seed: int, places) -> float:
    rng = np.random.default_rng(seed)
    settings = settings_of(space, rng)
    return judged(predict, places(rng), "filaments", FRAMES, settings, rng).error


def filament_places(rng):
    return filaments(LOCALIZATIONS, FIELD, rng)[:, :2]


def outlines(shape: str, rng):
    """Return places on outlines of a shape, (n, 2) nm."""
    angle = 2 * np.pi * np.arange(SHAPES[shape] + 1) / SHAPES[shape] + np.pi / 4
    stretch = (1.0, 0.4) if shape == "rectangle" else (1.0, 1.0)
    corners = np.stack((np.cos(angle), np.sin(angle)), 1) * stretch
    which, along = rng.integers(0, OUTLINES, LOCALIZATIONS), rng.uniform(0, SHAPES[shape], LOCALIZATIONS)
    edge, part = along.astype(int), (along % 1)[:, None]
    points = corners[edge] * (1 - part) + corners[edge + 1] * part
    centers, radii = rng.uniform(800, FIELD.width_nm - 800, (OUTLINES, 2)), rng.uniform(500, 1000, (OUTLINES, 1))
    return centers[which] + radii[which] * points


def picture(predict, space, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for frames in (300, 3000):
        rng = np.random.default_rng(SEED)
        places, settings = filament_places(rng), settings_of(space, rng)
        sparse, dense, wide = field_of(places, frames / FULL_FRAMES, settings, rng)
        image, _ = predict(sparse[None], wide[None], np.float32([[1, 0]]))
        beside = np.clip(np.hstack((dense_image(sparse), image[0], dense)) ** 0.5, 0, 1)
        (out / f"prediction-{frames}-frames.png").write_bytes(png_encode((255 * beside).astype(np.uint8)))


if __name__ == "__main__":
    main()
