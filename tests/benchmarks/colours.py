"""How many molecules get a wrong colour when doubtful ones are left out, as `[filter] min_channel_probability` does.

    livesmlm train kim --steps 30000 --out runs/kim; livesmlm export runs/kim --out kim.onnx
    python tests/benchmarks/colours.py kim.onnx [hershko-colour.onnx ...] [--crops 1000]

Crops of all brightnesses, heights and backgrounds of the sample space behind all cameras of the training, as many of
each colour. For each network, and for the likeliest of fits with the spots of all colours, which is the best that can
be done: the share that is kept above a probability, and how many of these are of a wrong colour. Then crops a second.
"""

import argparse
import time
from contextlib import closing

import numpy as np

from models.colours.likelihood import likeliest
from models.colours.samples import ColourSimulator
from models.colours.spots import dye_spots
from stream import zoo
from stream.commands.crop_contestants import ONE_THREAD, answering
from stream.engines import open_engine

SURE = (0.5, 0.8, 0.9, 0.95, 0.99)
SEED = 83_000
"""Beyond the seeds of trainings."""


def row(name, said, channel, per_second) -> str:
    right, stated = said["channel"] == channel, said["channel_probability"]
    cells = []
    for least in SURE:
        kept = stated >= least
        cells.append(f"{100 * kept.mean():4.0f} %, {100 * (1 - right[kept].mean()):4.1f}" if kept.any() else "none")
    return f"| {name} | {' | '.join(cells)} | {per_second} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=zoo.find)
    parser.add_argument("--crops", type=int, default=1000)
    given = parser.parse_args()
    with closing(open_engine(given.models[0], ONE_THREAD)) as first:
        space, side = first.card.sample_space, first.card.multiple_px
    spots = dye_spots(space, side)
    (crops, channel), contestants = ColourSimulator(spots, space, given.crops, side).draw(SEED, 0), {}
    engines = [open_engine(path, ONE_THREAD) for path in given.models]
    contestants = {engine.card.name: answering(engine) for engine in engines}
    contestants["maximum likelihood"] = likeliest(spots, side)
    print(f"{given.crops} crops; kept, and percent of these of a wrong colour, by the least probability\n")
    print(f"| | {' | '.join(map(str, SURE))} | crops per second |\n|{'---|' * (len(SURE) + 2)}")
    for name, answer in contestants.items():
        began = time.perf_counter()
        said = answer(crops.counts.numpy(), crops.variance.numpy())
        per_second = round(given.crops / (time.perf_counter() - began))
        print(row(name, {key: np.asarray(values) for key, values in said.items()}, channel.numpy(), per_second))
    for engine in engines:
        engine.close()


if __name__ == "__main__":
    main()
