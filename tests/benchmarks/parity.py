"""Does every engine say, of every form of a model, what the network says in torch in float64; and what it costs.

    python tests/benchmarks/parity.py [--model 2d-fast] [--emitters 4000]

Each form is written anew from the weights that ship. A line has: molecules that only one of both finds, of how many;
the largest difference in position, photons and stated uncertainty; Jaccard index and lateral error at 1 molecule per
um^2; error over the Cramer-Rao bound in x and y at 4,000 photo-electrons, and the root mean square of the mean error by
place in the pixel (5 x 5 places), which would be `chance` if there were none. Scenes are the same for all of them.
"""

import argparse
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from export.evaluate import locator
from export.export import export
from export.exported import Called
from export.novelty import learned
from export.parity import SEED, Reference
from export.static_rows import ROWS_PER_BLOCK
from export.trained import from_model
from models.evaluation.conditions import Conditions
from models.evaluation.dense import dense
from models.evaluation.isolated import bias_map, isolated, precision
from models.evaluation.report import USUAL_PHOTONS
from stream import zoo
from stream.commands.parity import in_words
from stream.config import EngineSettings
from stream.engines import ENGINES, open_engine
from stream.errors import LiveSMLMError

FORMS = [(precision, rows) for precision in ("fp32", "fp16", "int8") for rows in (0, ROWS_PER_BLOCK)]
PHOTONS, FRAMES = 4000.0, 100


def figures(run, conditions: Conditions, threshold: float, emitters: int) -> str:
    locate = locator(run, threshold, conditions.spot.pixel_size_nm)
    crowd = dense(locate, conditions, 1.0, USUAL_PHOTONS, FRAMES, SEED + 1)
    alone = isolated(locate, conditions, PHOTONS, emitters, SEED + 2)
    bias = bias_map(alone, conditions.spot.pixel_size_nm)
    over = ", ".join(f"{value:.3f}" for value in precision(alone)["over_bound"])
    place = ", ".join(f"{bias[axis]['rms_nm']:.2f}" for axis in ("x_nm", "y_nm"))
    chance = np.mean([bias[axis]["rms_by_chance_nm"] for axis in ("x_nm", "y_nm")])
    return f"{crowd['jaccard']:.4f}, {crowd['rmse_lateral_nm']:.2f} nm | {over} | {place} nm (chance {chance:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="2d-fast")
    parser.add_argument("--emitters", type=int, default=4000)
    arguments = parser.parse_args()
    trained = from_model(zoo.find(arguments.model))
    trained = replace(trained, distance=learned(trained))
    reference = Reference.of(trained)
    print("| form | engine | rows, only one has, largest in x, y; photons; sigma | 1 per um^2 | over bound | bias |")
    with tempfile.TemporaryDirectory() as folder:
        for narrow, rows in FORMS:
            path = Path(folder) / f"{narrow}-{rows}.onnx"
            card = export(zoo.find(arguments.model), path, narrow, rows)
            for name, kind in ENGINES.items():
                for device, at in kind.choices:
                    if at != "model" and narrow != "fp32":
                        continue
                    form = f"{narrow}{', known shapes' if rows else ''}"
                    settings = EngineSettings.model_validate({"name": name, "device": device, "precision": at})
                    try:
                        with closing(open_engine(path, settings)) as engine:
                            run = Called(engine.run, card, trained.network)
                            near = ", ".join(in_words(reference.beside(run, card.threshold)))
                            told = figures(run, reference.conditions, card.threshold, arguments.emitters)
                    except LiveSMLMError as error:
                        print(f"| {form} | {name}, {device} | not run: {error.what} |", flush=True)
                        continue
                    print(f"| {form} | {engine.device} | {near} | {told} |", flush=True)


if __name__ == "__main__":
    main()
