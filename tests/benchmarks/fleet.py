"""Several engines in processes of their own beside one: frames per second, and what dealing costs.

    python tests/benchmarks/fleet.py [--device cpu] [--model 2d-fast] [--processes 2] [--side 256] [--batch 32]

On the CPU each engine has one thread. `1 here` computes in this process, `1 apart` is one engine in a process of its
own. Rounds alternate, so that a busy machine slows all of them.
"""

import argparse
from collections import deque
from contextlib import ExitStack, closing

import numpy as np
from gpu import maps, scene
from localizers import FRAMES, ROUND, megapixels_per_s

from stream import zoo
from stream.config import EngineSettings
from stream.engine import Engine, Plan
from stream.engines import open_engine
from stream.engines.fleet import Fleet


def one_round(plan: Plan, pixels: np.ndarray):
    """Return what hands over a round of batches and waits for all answers: nothing computes while another is timed."""

    def run() -> None:
        waiting = deque()
        for _ in range(ROUND):
            waiting.append(plan.submit(pixels, anew=False))
            if len(waiting) == plan.slots:
                plan.wait(waiting.popleft())
        while waiting:
            plan.wait(waiting.popleft())

    plan.wait(plan.submit(pixels, anew=True))
    return run


def opened(settings: EngineSettings, model: str, apart: bool) -> Engine:
    path = zoo.find(model)
    return Fleet(path, settings) if apart else open_engine(path, settings)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--model", default="2d-fast")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5)
    told = parser.parse_args()
    one = EngineSettings.model_validate({"device": told.device, "threads": 1})
    many = one.model_copy(update={"processes": told.processes})
    forms = {"1 here": (one, False), "1 apart": (one, True), f"{told.processes} apart": (many, True)}
    pixels = scene(told.batch, told.side)
    with ExitStack() as stack:
        runners = {}
        for label, (settings, apart) in forms.items():
            engine = stack.enter_context(closing(opened(settings, told.model, apart)))
            runners[label] = one_round(engine.plan(maps(told.side, engine.card)), pixels)
        speeds = megapixels_per_s(runners, told.side, told.seconds)
    for label, speed in speeds.items():
        frames_per_s = 1e6 * speed / told.side**2 * told.batch / FRAMES
        print(f"{label:10} {frames_per_s:6.1f} frames/s, {speed / speeds['1 here']:.2f} of one here")


if __name__ == "__main__":
    main()
