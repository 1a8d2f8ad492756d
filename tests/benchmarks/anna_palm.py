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
from functools import partial
from pathlib import Path

import numpy as np
from imagecodecs import png_encode

from models.predicted.outlines import SHAPES, as_many_filaments, outlines
from models.predicted.samples import dense_image, field_of
from models.predicted.scoring import SEED, area_under_curve, by_frames, error_of, settings_of
from models.predicted.space import FULL_FRAMES
from stream import zoo
from stream.commands.evaluate_prediction import predicting
from stream.config import EngineSettings
from stream.engines import open_engine

FRAMES = 1000


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
    known = [error_of(predict, space, SEED + k, as_many_filaments, FRAMES) for k in range(fields)]
    limit = np.quantile(known, 0.95)
    print(f"filaments: error {np.mean(known):.4f}, 95th percentile {limit:.4f}, {FRAMES} frames")
    for name in SHAPES:
        unknown = [error_of(predict, space, SEED + k, partial(outlines, name), FRAMES) for k in range(fields)]
        share = np.mean(np.array(unknown) > limit)
        print(f"{name}: error {np.mean(unknown):.4f}, AUC {area_under_curve(known, unknown):.3f}, flagged {share:.2f}")


def picture(predict, space, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for frames in (300, 3000):
        rng = np.random.default_rng(SEED)
        places, settings = as_many_filaments(rng), settings_of(space, rng)
        sparse, dense, wide = field_of(places, frames / FULL_FRAMES, settings, rng)
        image, _ = predict(sparse[None], wide[None], np.float32([[1, 0]]))
        beside = np.clip(np.hstack((dense_image(sparse), image[0], dense)) ** 0.5, 0, 1)
        (out / f"prediction-{frames}-frames.png").write_bytes(png_encode((255 * beside).astype(np.uint8)))


if __name__ == "__main__":
    main()
