"""Engines on the CPU in one run: megapixels per second from camera frame to table, and what of it is the network.

    python tests/benchmarks/engines.py [--seconds 4] [--threads 2] [--sides 128 256] [--networks fast ...] [--cpu-time]

`share` is that of the rate at which numpy multiplies matrices of float32 in the same rounds; bfloat16 can pass 1.
`bare` is the network alone in ONNX Runtime, frames of float32 in, maps out; `graph` is all that is exported, with the
molecules of the scene in its table; `table` is the same behind `Localizer.process`. `fast` and `accurate` have the
weights that ship and find the scene's molecules (0.25 per um^2); DECODE is untrained and finds nothing. Rounds
alternate, so that a busy machine slows all of them.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from localizers import CAMERA, FRAMES, megapixels_per_s, one_round, repeated
from torch import nn

from export.localizer_files import describe, mac_per_pixel
from export.static_graph import deployed
from export.static_rows import as_static
from export.to_onnx import write
from export.trained import from_model
from models.layers import OverFrames
from models.recipe import Recipe
from models.sample_space import LOCALIZER_3D, SampleSpace
from models.systems.decode import Decode, Scale
from stream import zoo
from stream.config import EngineSettings
from stream.engine import Engine
from stream.engines import open_engine
from stream.stages.localize import Localizer

DENSITY_PER_UM2, PHOTONS, SIGMA_PX, PIXEL_UM = 0.25, 2000.0, 1.3, 0.1
ENGINES = {
    "ONNX Runtime": {"name": "onnx-runtime"},
    "OpenVINO float32": {"name": "openvino"},
    "OpenVINO bfloat16": {"name": "openvino", "precision": "bf16"},
}
MATRIX = 1536


class Bare(nn.Module):
    """The network without calibration, scores and rows."""

    def __init__(self, network: OverFrames) -> None:
        super().__init__()
        self.network = network

    def forward(self, counts: torch.Tensor, noise: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        features = torch.cat((context, self.network.encode(counts, noise)))
        return self.network.locate(features[:-2], features[1:-1], features[2:])


def scene(side: int) -> np.ndarray:
    """(t, y, x) ADU: molecules as Gaussians, elsewhere in each frame."""
    rng = np.random.default_rng(0)
    expected = np.full((FRAMES, side, side), 10.0)
    y, x = np.mgrid[:side, :side] + 0.5
    for image in expected:
        for at_y, at_x in rng.uniform(0, side, (round(DENSITY_PER_UM2 * (side * PIXEL_UM) ** 2), 2)):
            top, left = max(int(at_y) - 7, 0), max(int(at_x) - 7, 0)
            part = np.s_[top : top + 15, left : left + 15]
            square = (y[part] - at_y) ** 2 + (x[part] - at_x) ** 2
            image[part] += PHOTONS / (2 * np.pi * SIGMA_PX**2) * np.exp(-square / (2 * SIGMA_PX**2))
    return CAMERA.expose(expected, rng)


def networks() -> dict[str, tuple[OverFrames, SampleSpace, float]]:
    """Name -> network, its sample space, and the threshold it is asked with."""
    shipped = {name: from_model(zoo.find(f"2d-{name}")) for name in ("fast", "accurate")}
    found = {name: (trained.network, trained.space, 0.9) for name, trained in shipped.items()}
    return found | {"DECODE": (Decode(Scale.of(LOCALIZER_3D), nn.ReLU), LOCALIZER_3D, 0.99)}


def bare(network: OverFrames, pixels: np.ndarray, threads: int, folder: Path) -> Callable[[], object]:
    """Return what runs the network alone in ONNX Runtime."""
    _, height, width = pixels.shape
    context = torch.zeros(2, network.channels, height // network.stride, width // network.stride)
    inputs = (torch.zeros(pixels.shape), torch.zeros(height, width), context)
    path = folder / f"bare-{type(network).__name__}-{network.channels}-{height}.onnx"
    torch.onnx.export(Bare(network).eval(), inputs, path, dynamo=True, verbose=False)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(path, options)
    counts = ((pixels.astype(np.float32) - 100) / 2, np.full((height, width), 2.25, np.float32), context.numpy())
    feed = dict(zip([port.name for port in session.get_inputs()], counts, strict=True))
    return repeated(lambda: session.run(None, feed))


def graph(engine: Engine, pixels: np.ndarray, threshold: float) -> Callable[[], object]:
    """Return what runs the exported graph."""
    _, height, width = pixels.shape
    card, plane = engine.card, np.ones((height, width), np.float32)
    inputs = {
        "frames": pixels, "offset": 100 * plane, "gain": 2 * plane, "variance": 2.25 * plane,
        "excess": np.ones((), np.float32), "threshold": np.full((), threshold, np.float32),
        "context": np.zeros((2, card.features, height // card.stride, width // card.stride), np.float32),
    }  # fmt: skip
    given = as_static(inputs) if card.rows_per_block else inputs
    return repeated(lambda: engine.run(given))


def measure(name: str, side: int, arguments: argparse.Namespace, folder: Path) -> None:
    network, space, threshold = networks()[name]
    path, pixels = folder / f"{name}.onnx", scene(side)
    if not path.exists():
        write(deployed(network, space), describe(network, space, Recipe(), {}), path)
    matrix = np.random.default_rng(0).random((MATRIX, MATRIX), np.float32)
    runners: dict[str, Callable[[], object]] = {
        "sgemm": repeated(lambda: matrix @ matrix), "bare": bare(network, pixels, arguments.threads, folder)
    }  # fmt: skip
    with ExitStack() as stack:
        for label, settings in ENGINES.items():
            engines = [
                stack.enter_context(
                    closing(open_engine(path, EngineSettings.model_validate(settings | {"threads": arguments.threads})))
                )
                for _ in range(2)
            ]
            runners[f"graph, {label}"] = graph(engines[0], pixels, threshold)
            runners[f"table, {label}"] = one_round(
                Localizer(engines[1], CAMERA, side, side, 1000 * PIXEL_UM, threshold), pixels
            )
        clock = time.process_time if arguments.cpu_time else time.perf_counter
        speeds = megapixels_per_s(runners, side, arguments.seconds, clock)
    peak = 2 * MATRIX**3 * speeds.pop("sgemm") / (FRAMES * side**2)  # in 1e6 operations per second
    per_pixel = 2 * mac_per_pixel(network)
    print(f"{name}, {side} x {side}, {per_pixel / 2000:.1f} kMAC per pixel; sgemm {peak / 1e3:.0f} GFLOP/s")
    for label, speed in speeds.items():
        against = f", {speeds['bare'] / speed - 1:+.1%} time over bare" if label == "graph, ONNX Runtime" else ""
        print(f"  {label:26} {speed:6.2f} Mpx/s, share {speed * per_pixel / peak:.2f}{against}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sides", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--cpu-time", action="store_true", help="count the processor's time, with --threads 1")
    parser.add_argument("--networks", nargs="+", default=["fast", "accurate", "DECODE"])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.networks:
            for side in arguments.sides:
                measure(name, side, arguments, Path(folder))


if __name__ == "__main__":
    main()
