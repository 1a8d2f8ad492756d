"""Large spots in depth, from alone to overlapping: DeepSTORM3D's volumes, its list, the usual localizer, single fits.

    python tests/benchmarks/deepstorm3d.py MODEL.onnx [...] [--frames 60] [--photons 5000]

Each model sees the same molecules behind its own spot, a tetrapod, another one, or that of a mask that was learned.
Frames of 64 x 64 pixels, sCMOS, 10 photo-electrons of background. Each cell: Jaccard index, lateral and axial root mean
square error in nm. `fits` is a maximum-likelihood fit of each local maximum, which knows the spot of the first model;
tetrapods have two maxima or more each.
"""

import argparse
from contextlib import ExitStack, closing
from pathlib import Path

from models.evaluation.classical import classical
from models.evaluation.dense import dense
from stream import zoo
from stream.commands.evaluate import conditions_for, contestant
from stream.config import EngineSettings
from stream.engines import open_engine

DENSITIES_PER_UM2 = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
SEED = 31_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--photons", type=float, default=5000)
    given = parser.parse_args()
    with ExitStack() as stack:
        one_thread = EngineSettings(threads=1)
        engines = [stack.enter_context(closing(open_engine(zoo.find(name), one_thread))) for name in given.models]
        spots = [conditions_for(engine.card, name) for engine, name in zip(engines, given.models, strict=True)]
        locators = [contestant(engine, spot, refine=False) for engine, spot in zip(engines, spots, strict=True)]
        contestants = [*zip(locators, spots, strict=True), (classical(spots[0]), spots[0])]
        print(f"{'per um2':>8}" + "".join(f"{name:>30}" for name in (*(Path(m).stem for m in given.models), "fits")))
        for density in DENSITIES_PER_UM2:
            found = [dense(one, spot, density, given.photons, given.frames, SEED) for one, spot in contestants]
            cells = (f"{f['jaccard']:.2f}  {f['rmse_lateral_nm']:.0f}  {f['rmse_axial_nm']:.0f}" for f in found)
            print(f"{density:>8}" + "".join(f"{cell:>30}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
