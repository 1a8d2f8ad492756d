"""smNet's claim (Nat. Methods 15, 2018): the bound is reached over the whole depth, astigmatic and double helix.

    for PSF in astigmatic double-helix; do for SIZE in fast accurate; do
      livesmlm train smnet-z --psf $PSF --size $SIZE --out runs/$PSF-$SIZE
      livesmlm export runs/$PSF-$SIZE --out $PSF-$SIZE.onnx
    done; done
    python tests/benchmarks/smnet.py *.onnx [--crops 2000]

For each file, by photons: root mean square error of z over the Cramer-Rao bound in eight slices of z, without errors of
more than five bounds, and the share of these over all z. Then operations of a crop, parameters, and crops a second on
one thread: the best of three rounds in which all files take turns.
"""

import argparse
import time
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from export.card import Card
from models.crops.build import crop_spots
from models.crops.scoring import SINGLE_PHOTONS, Answer, held_out, scores_of
from stream.commands.crop_contestants import ONE_THREAD
from stream.crops import spot_of
from stream.engine import Engine
from stream.engines import open_engine

AT_ONCE, ROUNDS = 256, 3


def answering(engine: Engine) -> Answer:
    """The columns that a model gives."""

    def answer(counts, variance):
        table = engine.run({"counts": counts, "variance": variance})["table"]
        return dict(zip(engine.card.columns, table.T.astype(float), strict=True))

    return answer


def through_depth(engine: Engine, model: Path, crops: int) -> None:
    """Print a line for each brightness."""
    card = engine.card
    spots = crop_spots(card.provenance["recipe"]["psf"], card.sample_space, spot_of(model), card.multiple_px)
    for photons in SINGLE_PHOTONS:
        held = held_out(spots, card.sample_space, card.multiple_px, photons, crops, False)
        found = scores_of(answering(engine), held)["z_nm"]
        slices = " ".join(f"{one['z_nm']:.0f}: {one.get('over_bound', np.nan):.2f}" for one in found["by_z"])
        print(
            f"{card.name}, {photons:.0f} photons, RMSE {found['rmse']:.1f} nm; over the bound by z / nm: {slices}; "
            f"{100 * found.get('outliers', 1):.0f} % beyond 5 bounds"
        )


def rates(engines: list[Engine]) -> dict[str, float]:
    """Crops a second of each, in turn."""
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for engine in engines:
            side = engine.card.multiple_px
            counts = np.random.default_rng(1).poisson(20, (AT_ONCE, side, side)).astype("f4")
            began = time.perf_counter()
            engine.run({"counts": counts, "variance": np.ones_like(counts)})
            rate = AT_ONCE / (time.perf_counter() - began)
            best[engine.card.name] = max(best.get(engine.card.name, 0), rate)
    return best


def cost(card: Card, rate: float) -> str:
    """One line."""
    operations = card.mac_per_pixel * card.multiple_px**2
    parameters = card.provenance["parameters"]
    return f"{card.name}: {operations / 1e6:.3g} MMAC a crop, {parameters / 1e6:.2f} M parameters, {rate:.0f} crops/s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--crops", type=int, default=2000)
    options = parser.parse_args()
    with ExitStack() as stack:
        engines = [stack.enter_context(closing(open_engine(model, ONE_THREAD))) for model in options.models]
        for engine, model in zip(engines, options.models, strict=True):
            through_depth(engine, model, options.crops)
        found = rates(engines)
        for engine in engines:
            print(cost(engine.card, found[engine.card.name]))


if __name__ == "__main__":
    main()
