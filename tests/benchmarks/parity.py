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
from pathlib import Path

import numpy as np
import torch

from export.evaluate import conditions_for, locator
from export.export import DENSITY_PER_UM2, SEED, export
from export.export import FRAMES as COMPARED
from export.graph import INPUTS
from export.parity import agreement
from export.static_graph import deployed
from export.static_rows import ROWS_PER_BLOCK, as_static, filled
from export.trained import from_model
from models.evaluation.conditions import Conditions
from models.evaluation.dense import dense, scene
from models.evaluation.isolated import bias_map, isolated, precision
from models.evaluation.report import USUAL_PHOTONS
from models.layers import OverFrames
from stream import zoo
from stream.config import EngineSettings
from stream.engine import Engine
from stream.engines import ENGINES, open_engine
from stream.errors import LiveSMLMError

FORMS = [(precision, rows) for precision in ("fp32", "fp16", "int8") for rows in (0, ROWS_PER_BLOCK)]
PHOTONS, FRAMES = 4000.0, 100


class InEngine:
    """A file in an engine, called like the module that it was."""

    def __init__(self, engine: Engine, network: OverFrames) -> None:
        self.engine, self.network = engine, network

    def __call__(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        feed = {port.name: value.numpy() for port, value in zip(INPUTS, inputs, strict=True)}
        static = bool(self.engine.card.rows_per_block)
        found = self.engine.run(as_static(feed) if static else feed)
        if static:
            frame, rows = filled(found["table"], float(feed["threshold"]))
            found = {"frame": frame, "table": rows, "count": found["count"].sum(), "context": found["context_out"]}
        return tuple(torch.as_tensor(np.asarray(value)) for value in found.values())


def figures(run, conditions: Conditions, threshold: float, emitters: int) -> str:
    locate = locator(run, threshold, conditions.spot.pixel_size_nm)
    crowd = dense(locate, conditions, 1.0, USUAL_PHOTONS, FRAMES, SEED + 1)
    alone = isolated(locate, conditions, PHOTONS, emitters, SEED + 2)
    bias = bias_map(alone, conditions.spot.pixel_size_nm)
    over = ", ".join(f"{value:.3f}" for value in precision(alone)["over_bound"])
    place = ", ".join(f"{bias[axis]['rms_nm']:.2f}" for axis in ("x_nm", "y_nm"))
    chance = np.mean([bias[axis]["rms_by_chance_nm"] for axis in ("x_nm", "y_nm")])
    return f"{crowd['jaccard']:.4f}, {crowd['rmse_lateral_nm']:.2f} nm | {over} | {place} nm (chance {chance:.2f})"


def beside(found: dict) -> str:
    largest = found["largest_difference"]
    place, sigma = (max(largest[name] for name in names) for names in (("x_px", "y_px"), ("sigma_x_px", "sigma_y_px")))
    return f"{found['only_one_has']} of {found['rows']} | {place:.0e} px, {largest['photons']:.0e}, {sigma:.0e} px"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="2d-fast")
    parser.add_argument("--emitters", type=int, default=4000)
    arguments = parser.parse_args()
    trained = from_model(zoo.find(arguments.model))
    conditions, module = conditions_for(trained.space, trained.spot), deployed(trained.network, trained.space)
    frames, _ = scene(conditions, DENSITY_PER_UM2, USUAL_PHOTONS, COMPARED, SEED)
    print(
        "| form | engine | only one has | largest difference: x, y; photons; sigma | 1 per um^2 | over bound | bias |"
    )
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
                            run = InEngine(engine, trained.network)
                            near = beside(agreement(module, run, frames, conditions.camera, card.threshold))
                            told = figures(run, conditions, card.threshold, arguments.emitters)
                    except LiveSMLMError as error:
                        print(f"| {form} | {name}, {device} | not run: {error.what} |", flush=True)
                        continue
                    print(f"| {form} | {engine.device} | {near} | {told} |", flush=True)


if __name__ == "__main__":
    main()
