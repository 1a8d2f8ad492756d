"""What the column `novelty` tells of data that is not what the network learned, and what it costs.

    OMP_NUM_THREADS=1 python tests/benchmarks/novelty.py [--model astigmatic-fast] [--frames 150] [--seconds 4]

Area under the receiver's curve (0.5: tells nothing, 1: always seen) of sets of 10, 30 and 100 molecules that are drawn
from the scenes of a mismatch against sets from matched scenes of other seeds. A set's score is the mean of ln(novelty):
`above` as it is, `off` its distance from what a third group of matched scenes has, on either side. Scenes: 0.3
molecules per um^2, 2,000 photo-electrons, 10 of background, but for what is said.

Cost: processor time of the whole graph with the column over that without, frames of 128 x 128 at 0.3 per um^2, and how
long the statistics took.
"""

import argparse
import tempfile
import time
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from engines import graph
from localizers import CAMERA, megapixels_per_s

from export.evaluate import conditions_for, locator
from export.exported import exported
from export.localizer_files import describe
from export.novelty import learned
from export.static_graph import deployed
from export.static_rows import ROWS_PER_BLOCK
from export.to_onnx import write
from export.trained import Trained, from_model
from models.evaluation.conditions import Conditions
from models.evaluation.dense import scene
from models.optics import phase_masks
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings
from stream import zoo
from stream.config import EngineSettings
from stream.engines import open_engine

OBJECTIVE, HALF_DEPTH_NM, WINDOW_NM = Objective(sample_index=1.518), 650.0, 1700.0
MOLECULES, SETS, SCENES, SIDE = (10, 30, 100), 4000, 4, 128


@dataclass(frozen=True)
class Case:
    """A scene: what differs from the matched one."""

    zernike_waves: dict[int, float] = field(default_factory=dict)
    pixel_nm: float = 100.0
    blur_nm: float = 0.0
    background: float = 10.0
    density_per_um2: float = 0.3

    def conditions(self, usual: Conditions) -> Conditions:
        if self.zernike_waves or self.blur_nm or self.pixel_nm != usual.spot.pixel_size_nm:
            usual = replace(usual, spot=self.spot())
        return replace(usual, background=self.background)

    def spot(self) -> LowRankSpot:
        setup = Setup(OBJECTIVE, self.zernike_waves, phase_masks.astigmatism(), HALF_DEPTH_NM, blur_nm=self.blur_nm)
        exact = VectorialSpot(setup, self.pixel_nm, 2 * ceil(WINDOW_NM / self.pixel_nm) + 1)
        return low_rank(exact, (-HALF_DEPTH_NM - 1, HALF_DEPTH_NM + 1), rank=64, z_nodes=20, reach_px=0)


CASES = {
    "matched, once more": Case(),
    "astigmatism +0.05 waves": Case({6: 0.05}),
    "coma 0.05": Case({8: 0.05}),
    "pixel 110 nm": Case(pixel_nm=110),
    "background x4": Case(background=40),
    "density x4": Case(density_per_um2=1.2),
    "blur 60 nm": Case(blur_nm=60),
}


def logs(run: Any, case: Case, trained: Trained, threshold: float, frames: int, seed: int) -> np.ndarray:
    """Return ln(novelty) of all molecules of some scenes."""
    conditions, found = case.conditions(conditions_for(trained.space, trained.spot)), []
    locate = locator(run, threshold, conditions.spot.pixel_size_nm)
    for number in range(SCENES):
        stack, _ = scene(conditions, case.density_per_um2, 2000.0, frames, 1000 * seed + number)
        found.append(np.log(np.asarray(locate(stack, conditions.camera)["novelty"], float)))
    return np.concatenate(found)


def area(nothing: np.ndarray, something: np.ndarray) -> float:
    """Return how often a score of the one is below one of the other; ties count half."""
    ordered = np.sort(nothing)
    below = [np.searchsorted(ordered, something, side) for side in ("left", "right")]
    return float(np.mean(below)) / len(nothing)


def told(model: str, frames: int) -> None:
    trained, card = from_model(zoo.find(model)), zoo.shipped()[model]
    run, rng = exported(zoo.find(model), trained.network), np.random.default_rng(0)
    usual, matched = (logs(run, Case(), trained, card.threshold, frames, seed) for seed in (1, 2))
    print(f"{model}: {len(matched):,} matched molecules, novelty {np.exp(usual).mean():.2f} in the mean")
    print("| | molecules | mean of ln | above: 10 / 30 / 100 | off: 10 / 30 / 100 |\n|---|---|---|---|---|")
    for seed, (name, case) in enumerate(CASES.items(), 3):
        found, above, off = logs(run, case, trained, card.threshold, frames, seed), [], []
        for count in MOLECULES:
            null, scores = (rng.choice(values, (SETS, count)).mean(1) for values in (matched, found))
            above.append(f"{area(null, scores):.2f}")
            off.append(f"{area(*(np.abs(values - usual.mean()) for values in (null, scores))):.2f}")
        shift = found.mean() - usual.mean()
        print(f"| {name} | {len(found):,} | {shift:+.2f} | {' / '.join(above)} | {' / '.join(off)} |", flush=True)


def cost(model: str, seconds: float) -> None:
    trained, began = from_model(zoo.find(model)), time.process_time()
    distance = learned(trained)
    print(f"{model}: statistics in {time.process_time() - began:.0f} s of processor time")
    settings = SceneSettings(height_px=SIDE, width_px=SIDE, density_per_um2=0.3, structure="uniform", psf="gaussian")
    view = Scene(settings, CAMERA, np.random.default_rng(1))
    pixels, threshold = np.stack([view.picture()[0] for _ in range(8)]), zoo.shipped()[model].threshold
    with tempfile.TemporaryDirectory() as folder:
        for rows in (0, ROWS_PER_BLOCK):
            engines = {}
            for name, column in (("without", None), ("with", distance)):
                path = Path(folder) / f"{name}-{rows}.onnx"
                card = describe(trained.network, trained.space, trained.recipe, {}, rows, novelty=column is not None)
                write(deployed(trained.network, trained.space, rows, column), card, path)
                engines[name] = open_engine(path, EngineSettings(threads=1))
            runners = {name: graph(engine, pixels, threshold) for name, engine in engines.items()}
            speeds = megapixels_per_s(runners, SIDE, seconds, time.process_time)
            form = f"{rows} rows for each block" if rows else "as many rows as molecules"
            print(f"  {form}: {speeds['without'] / speeds['with'] - 1:+.1%} processor time")
            for engine in engines.values():
                engine.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="astigmatic-fast")
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=4)
    arguments = parser.parse_args()
    cost(arguments.model, arguments.seconds)
    told(arguments.model, arguments.frames)


if __name__ == "__main__":
    main()
