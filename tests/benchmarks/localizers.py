"""Speed of the localizers in one run: megapixels per second on two cores, and refined molecules per second on one.

    python tests/benchmarks/localizers.py [--seconds 4] [--model astigmatic-fast]

Networks are exported untrained: their weights do not change what they cost, and they find nothing. `as published` is
DECODE without cached features: each frame is encoded three times, and ELU. Rounds alternate, so that a busy machine
slows all of them.
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from torch import nn

from export.localizer_files import describe, mac_per_pixel
from export.static_graph import deployed
from export.to_onnx import write
from models.camera import Camera
from models.evaluation.conditions import Conditions
from models.evaluation.dense import scene
from models.layers import OverFrames
from models.localizations import concatenate
from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.refining.candidates import Options
from models.refining.refine import Optics, refine
from models.refining.spline import spline, spline_of
from models.sample_space import LOCALIZER_3D
from models.systems.decode import Decode, Scale
from models.systems.default import SIZES, DefaultLocalizer
from stream import zoo
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.frame import Batch
from stream.stages.localize import Localizer
from stream.stages.refine import Refiner
from stream.stages.stage import Stage

CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5)
FRAMES, ROUND = 8, 4
"""Frames in a batch, batches in a round."""
SIDES = (128, 256)


class Uncached(nn.Module):
    """DECODE as its authors run it: triples of frames in, every frame encoded three times."""

    def __init__(self, network: Decode) -> None:
        super().__init__()
        self.network = network

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return self.network(frames, frames[:, 0])


def networks() -> dict[str, OverFrames]:
    """Name -> network."""
    scale = Scale.of(LOCALIZER_3D)
    return {name: DefaultLocalizer(size) for name, size in SIZES.items()} | {
        "DECODE, cached, ReLU": Decode(scale, nn.ReLU), "DECODE, cached": Decode(scale),
    }  # fmt: skip


def runner(network: OverFrames, name: str, folder: Path, side: int) -> Callable[[], None]:
    """Run batches of frames as a run does."""
    path = folder / f"{name}.onnx"
    if not path.exists():
        write(deployed(network, LOCALIZER_3D), describe(network, LOCALIZER_3D, Recipe(), {}), path)
    return one_round(Localizer(OnnxRuntimeEngine(path), CAMERA, side, side, 100.0, 0.99), dark(side))


def one_round(stage: Stage, pixels: np.ndarray) -> Callable[[], None]:
    """Return what hands a stage batches and waits for the last answer: nothing computes while another is timed."""
    none, at = np.full(FRAMES, np.nan), [0]
    nothing = Batch(pixels[:0], np.empty(0, int), none[:0], none[:0], none[:0])

    def run() -> None:
        for _ in range(ROUND):
            stage.process(Batch(pixels, np.arange(at[0], at[0] + FRAMES), none, none, none))
            at[0] += FRAMES
        stage.process(nothing)

    return run


def repeated(call: Callable[[], object]) -> Callable[[], None]:
    """Return what computes as many batches as a round has."""

    def run() -> None:
        for _ in range(ROUND):
            call()

    return run


def published(folder: Path, side: int) -> Callable[[], None]:
    path = folder / "published.onnx"
    if not path.exists():
        module, example = Uncached(Decode(Scale.of(LOCALIZER_3D))).eval(), torch.rand(2, 3, 64, 64)
        dims = dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(module, (example,), path, dynamo=True, dynamic_shapes=(dims,), verbose=False)
    session = ort.InferenceSession(path)
    triples = np.repeat(dark(side)[:, None].astype("f4"), 3, axis=1)
    return repeated(lambda: session.run(None, {session.get_inputs()[0].name: triples}))


def dark(side: int) -> np.ndarray:
    return np.random.default_rng(0).poisson(120, (FRAMES, side, side)).astype("u2")


def megapixels_per_s(
    runners: dict[str, Callable[[], None]], side: int, seconds: float, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    spent, runs = dict.fromkeys(runners, 0.0), dict.fromkeys(runners, 0)
    for run in runners.values():
        run()
    while min(spent.values()) < seconds:
        for name, run in runners.items():
            if spent[name] < seconds:
                began = clock()
                run()
                spent[name] += clock() - began
                runs[name] += 1
    return {name: runs[name] * ROUND * FRAMES * side**2 / spent[name] / 1e6 for name in runners}


def refined_per_s(model: str, window_px: int | None, photons: float = 2000.0) -> float:
    """Refine what a model finds at 0.25 per um^2, on one core; window None: the one that is used."""
    spot = LowRankSpot.load(zoo.spot_of(model))
    engine = OnnxRuntimeEngine(zoo.find(model))
    conditions = Conditions(spot, engine.card.sample_space.scale("z_nm")[1])
    stack, _ = scene(conditions, 0.25, photons, 200, 1)
    localizer, none = Localizer(engine, conditions.camera, *stack.shape[1:], 100.0, 0.5), np.full(len(stack), np.nan)
    parts = [localizer.process(Batch(stack, np.arange(len(stack)), none, none, none)), localizer.flush()]
    table = concatenate(part.table for part in parts)
    fitted = spline_of(spot) if window_px is None else spline(spot, spot.z_range_nm, window_px)
    counts, everyone = conditions.camera.photo_electrons(stack), np.ones(len(table), bool)
    best = 0.0
    for _ in range(4):  # the first compiles
        began = time.perf_counter()
        refine(counts, table["frame"], table, everyone, Optics(fitted, conditions.camera), "all", Options())
        best = max(best, len(table) / (time.perf_counter() - began))
    return best


def with_refinement(model: str, seconds: float) -> None:
    """Frames per second of a run's stages at 0.25 molecules per um^2, with and without refinement."""
    spot, engine = LowRankSpot.load(zoo.spot_of(model)), OnnxRuntimeEngine(zoo.find(model))
    conditions = Conditions(spot, engine.card.sample_space.scale("z_nm")[1])
    stack, _ = scene(conditions, 0.25, 2000.0, FRAMES, 1)
    tiled = np.tile(stack, (1, 2, 2))
    runners = {}
    for name, refiner in (("network", False), ("network and refinement", True)):
        stage = Localizer(engine, conditions.camera, *tiled.shape[1:], 100.0, 0.5)
        if refiner:
            stage = Refiner(stage, Optics(spline_of(spot), conditions.camera), "all", Options(threads=2))
        runners[name] = one_round(stage, tiled)
    for name, speed in megapixels_per_s(runners, tiled.shape[1], seconds).items():
        print(f"  {name:24} {speed:7.2f} Mpx/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--model", default="astigmatic-fast")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for side in SIDES:
            runners = {name: runner(net, name, Path(folder), side) for name, net in networks().items()}
            runners["DECODE as published"] = published(Path(folder), side)
            speeds = megapixels_per_s(runners, side, arguments.seconds)
            print(f"{side} x {side} frames")
            for name, speed in speeds.items():
                print(f"  {name:24} {speed:7.2f} Mpx/s, {speed / speeds['fast']:.3f} of fast")
    for name, network in networks().items():
        print(f"{name}: {mac_per_pixel(network) / 1000:.1f} kMAC per pixel")
    print(f"{arguments.model}, 128 x 128, 0.25 molecules per µm²")
    with_refinement(arguments.model, arguments.seconds)
    for window in (13, None):
        print(
            f"refined per second and core, window {window or 'as used'}: {refined_per_s(arguments.model, window):,.0f}"
        )


if __name__ == "__main__":
    main()
