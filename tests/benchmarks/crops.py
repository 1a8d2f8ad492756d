"""Zelger's claim (Opt. Express 26, 2018): with unknown aberrations, who looks for them too finds positions better.

    livesmlm train zelger --steps 3000 --out runs/joint; livesmlm export runs/joint --out joint.onnx
    livesmlm train zelger-alone --steps 3000 --out runs/alone; livesmlm export runs/alone --out alone.onnx
    python tests/benchmarks/crops.py joint.onnx alone.onnx [--crops 4000] [--pupils 8]

Three tables. Root mean square errors on the same held-out crops, behind the stated pupil and behind aberrations of
each crop's own: of both networks, of fits that take the pupil for the stated one, and the ratio of the networks with
the 95 % interval of a bootstrap over crops. The pupil that 500 molecules behind the same aberrations come to, in waves.
Crops a second on one thread: both networks in ONNX Runtime, fits with five parameters (`models/fitting`), in turn.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.card import Card
from models.crops.build import crop_spots
from models.crops.fitted import fitting
from models.crops.scoring import Answer, held_out
from models.crops.shared_pupil import MOLECULES, pupil_errors
from models.crops.space import mode_name
from models.crops.spots import CropSpots
from stream.commands.crop_contestants import ONE_THREAD
from stream.crops import spot_of
from stream.engines import open_engine

PHOTONS = (1000.0, 4000.0)
SHOWN = {"x_px": (100.0, "x"), "y_px": (100.0, "y"), "z_nm": (1.0, "z")}
RESAMPLES = 500
Float64 = NDArray[np.float64]


def answering(engine) -> Answer:
    """The columns that a model gives."""

    def answer(counts, variance):
        table = engine.run({"counts": counts, "variance": variance})["table"]
        return dict(zip(engine.card.columns, table.T.astype(float), strict=True))

    return answer


def interval(better: Float64, worse: Float64) -> tuple[float, float]:
    """95 % of the ratio of the root mean squares of two columns of errors of the same crops."""
    rng = np.random.default_rng(1)
    picks = rng.integers(len(better), size=(RESAMPLES, len(better)))
    ratios = np.sqrt((worse[picks] ** 2).mean(1) / (better[picks] ** 2).mean(1))
    low, high = np.quantile(ratios, [0.025, 0.975])
    return float(low), float(high)


def claim(answers: dict[str, Answer], card: Card, spots: CropSpots, crops: int) -> None:
    """Print errors, and the ratio of the second contestant's to the first's."""
    print("\nRMSE in nm: " + ", ".join(answers) + "; second over first, 95 %")
    for photons in PHOTONS:
        for aberrated in (False, True):
            held = held_out(spots, card.sample_space, card.multiple_px, photons, crops, aberrated)
            said = {name: one(held.crops.counts.numpy(), held.crops.variance.numpy()) for name, one in answers.items()}
            for column, (scale, axis) in SHOWN.items():
                errors = [scale * (one[column] - held.truth(column)) for one in said.values()]
                figures = " ".join(f"{np.sqrt(np.nanmean(error**2)):7.1f}" for error in errors)
                low, high = interval(errors[0], errors[1])
                kind = "aberrated" if aberrated else "as stated"
                print(f"{photons:6.0f} photons, {kind}, {axis}: {figures}   {low:.3f} to {high:.3f}")


def pupils(answer: Answer, card: Card, spots: CropSpots, count: int) -> None:
    """Print how well many molecules tell the pupil that they share."""
    errors, stated, single = pupil_errors(answer, spots, card.sample_space, card.multiple_px, count)
    names = ", ".join(mode_name(j) for j in spots.modes)
    print(f"\n{names}; root mean square over {count} pupils, molecules of any brightness")
    for what, values in {"one molecule": single, f"{MOLECULES} together": errors, "as they state": stated}.items():
        print(f"{what}: " + ", ".join(f"{value:.4f}" for value in np.sqrt(np.mean(np.square(values), axis=0))))


def rates(answers: dict[str, Answer], card: Card, spots: CropSpots) -> None:
    """Print crops a second, the best of three rounds in which the contestants take turns."""
    held = held_out(spots, card.sample_space, card.multiple_px, 4000.0, 512, False)
    counts, variance = held.crops.counts.numpy(), held.crops.variance.numpy()
    best = dict.fromkeys(answers, 0.0)
    for _ in range(3):
        for name, answer in answers.items():
            best[name] = max(best[name], len(counts) / seconds(lambda one=answer: one(counts, variance)))
    print(f"\ncrops of {card.multiple_px} x {card.multiple_px} a second, one thread, 512 at once")
    for name, rate in best.items():
        print(f"{name}: {rate:.0f}")


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("joint", type=Path)
    parser.add_argument("alone", type=Path)
    parser.add_argument("--crops", type=int, default=4000)
    parser.add_argument("--pupils", type=int, default=8)
    options = parser.parse_args()
    with (
        closing(open_engine(options.joint, ONE_THREAD)) as joint,
        closing(open_engine(options.alone, ONE_THREAD)) as alone,
    ):
        card, spot = joint.card, spot_of(options.joint)
        spots = crop_spots(card.provenance["recipe"]["psf"], card.sample_space, spot, card.multiple_px)
        answers = {
            "joint": answering(joint), "alone": answering(alone), "fits": fitting(spot, card.multiple_px),
        }  # fmt: skip
        claim(answers, card, spots, options.crops)
        pupils(answers["joint"], card, spots, options.pupils)
        rates(answers, card, spots)


if __name__ == "__main__":
    main()
