"""Engines on a GPU: megapixels per second and latency by batch size, from host memory to table, against two floors.

    PYTHONPATH=. python3 tests/benchmarks/gpu.py [--forms FOLDER] [--engines torch onnx-runtime tensorrt] [--profile]

Runs from a bare checkout. FOLDER has `fp32.onnx` and `fp16.onnx`, graphs of known shapes; they are written if they are
not there (`livesmlm export 2d-fast --to tensorrt --precision fp16 --out FOLDER/fp16.onnx` does the same). `Mpx/s` is
with two batches under way, latency with one: from the call that takes the frames to the rows. Floors: what copies of
frames and tables alone would allow at the bandwidth measured here, and what multiplications alone would at the rate of
a large matrix product of that precision. The aim is 419 Mpx/s: 2048 x 2048 pixels, 100 times a second.
`--device cpu` tries the script where there is no GPU.
"""

import argparse
import time
from collections import deque
from contextlib import closing
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from export.card import Card
from models.camera import Camera
from stream import zoo
from stream.engine import Engine, Plan
from stream.engines.buckets import BUCKETS
from stream.errors import LiveSMLMError

CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5)
MODEL, AIM_MPX_PER_S = "2d-fast", 419
TARGETS = {
    "torch": "stream.engines.torch_compiled:TorchEngine",
    "onnx-runtime": "stream.engines.onnx_runtime:OnnxRuntimeEngine",
    "tensorrt": "stream.engines.tensorrt_plan:TensorRtEngine",
}
COPY_BYTES, MATRIX = 256 << 20, 8192


def forms(folder: Path) -> dict[str, Path]:
    """Precision -> file."""
    files = {precision: folder / f"{precision}.onnx" for precision in ("fp32", "fp16")}
    for precision, path in files.items():
        if not path.exists():
            from export.export import export
            from export.static_rows import ROWS_PER_BLOCK

            export(zoo.find(MODEL), path, precision, ROWS_PER_BLOCK)
    return files


def open_(name: str, path: Path, device: str) -> Engine:
    module, attribute = TARGETS[name].split(":")
    engine: Engine = getattr(import_module(module), attribute)(path, device=device)
    return engine


def maps(side: int, card: Card) -> dict[str, np.ndarray]:
    plane = np.ones((side, side), np.float32)
    values = CAMERA.offset_adu, CAMERA.adu_per_photo_electron, CAMERA.variance_e2
    found = {
        name: plane * np.float32(value) for name, value in zip(("offset", "gain", "variance"), values, strict=True)
    }
    return found | {"excess": np.ones((), np.float32), "threshold": np.full((), card.threshold, np.float32)}


def scene(frames: int, side: int) -> np.ndarray:
    """(t, y, x) ADU with 0.25 molecules per um^2: one square of 256 pixels beside another."""
    rng, part = np.random.default_rng(0), min(side, 256)
    y, x = np.mgrid[:part, :part] + 0.5
    expected = np.full((part, part), 10.0)
    for at_y, at_x in rng.uniform(0, part, (part**2 // 400, 2)):
        expected += 2000 / (2 * np.pi * 1.3**2) * np.exp(-((y - at_y) ** 2 + (x - at_x) ** 2) / (2 * 1.3**2))
    tiled = np.tile(expected, (-(-side // part),) * 2)[:side, :side]
    return CAMERA.expose(np.broadcast_to(tiled, (frames, side, side)), rng)


def sustained(plan: Plan, pixels: np.ndarray, seconds: float) -> tuple[float, int]:
    """Mpx/s with as many batches under way as there are slots, and rows per frame."""
    waiting, batches, rows, began = deque([plan.submit(pixels, anew=True)]), 0, 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds or batches < 3:
        waiting.append(plan.submit(pixels, anew=False))
        if len(waiting) == plan.slots:
            rows += len(plan.wait(waiting.popleft()).table)
            batches += 1
    while waiting:
        plan.wait(waiting.popleft())
    return batches * pixels.size / spent / 1e6, rows // (batches * len(pixels))


def latencies_ms(plan: Plan, pixels: np.ndarray, seconds: float) -> np.ndarray:
    """Of batches that follow one another, one at a time."""
    found, until = [], time.perf_counter() + seconds
    while time.perf_counter() < until or len(found) < 3:
        began = time.perf_counter()
        plan.wait(plan.submit(pixels, anew=False))
        found.append(1000 * (time.perf_counter() - began))
    return np.array(found)


def per_s(call, device: str) -> float:
    """How often a call is done in a second, best of three rounds."""
    best = 0.0
    for _ in range(3):
        wait(device)
        began = time.perf_counter()
        for _ in range(5):
            call()
        wait(device)
        best = max(best, 5 / (time.perf_counter() - began))
    return best


def wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize()


def floors(device: str) -> tuple[float, dict[str, float]]:
    """Bytes per second that are copied to the device, and operations per second by precision."""
    cuda = device != "cpu"
    host, there = torch.zeros(COPY_BYTES, dtype=torch.uint8, pin_memory=cuda), torch.empty(
        COPY_BYTES, dtype=torch.uint8, device=device
    )  # fmt: skip
    bandwidth = COPY_BYTES * per_s(lambda: there.copy_(host, non_blocking=True), device)
    side, kinds = (MATRIX, ("fp32", "fp16")) if cuda else (1024, ("fp32",))
    rates = {}
    for kind in kinds:
        matrix = torch.rand(side, side, device=device).to({"fp32": torch.float32, "fp16": torch.float16}[kind])
        rates[kind] = 2 * side**3 * per_s(lambda matrix=matrix: matrix @ matrix, device)
    print(f"copies to the device {bandwidth / 1e9:.1f} GB/s; matrices ", end="")
    print(", ".join(f"{kind} {rate / 1e12:.2f} TFLOP/s" for kind, rate in rates.items()))
    return bandwidth, rates


def profiled(plan: Plan, pixels: np.ndarray) -> None:
    """Print where the time goes, kernel by kernel."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        latencies_ms(plan, pixels, 0.5)
    print(profile.key_averages().table(sort_by="self_cuda_time_total", row_limit=12, max_name_column_width=60))


def measure(name: str, precision: str, path: Path, told: argparse.Namespace, floor: tuple) -> None:
    with closing(open_(name, path, told.device)) as engine:
        print(f"{engine.device}, {precision}")
        for side in told.sides:
            plan = engine.plan(maps(side, engine.card))
            blocks = (-(-side // 64)) ** 2
            row_bytes = 4 * len(engine.card.columns) * engine.card.rows_per_block * blocks
            copies = floor[0] / (2 * side**2 + row_bytes) * side**2 / 1e6
            products = floor[1].get(precision, np.nan) / (2 * engine.card.mac_per_pixel) / 1e6
            print(f"  {side} x {side}: copies alone {copies:.0f} Mpx/s, products alone {products:.0f} Mpx/s")
            for frames in told.batches:
                pixels = scene(frames, side)
                plan.wait(plan.submit(pixels, anew=True))
                speed, rows = sustained(plan, pixels, told.seconds)
                p50, p99 = np.percentile(latencies_ms(plan, pixels, told.seconds), (50, 99))
                print(
                    f"    batch {frames:2}: {speed:8.2f} Mpx/s ({speed / AIM_MPX_PER_S:.3f} of the aim), latency "
                    f"p50 {p50:.2f}, p99 {p99:.2f} ms, {rows} rows a frame", flush=True,
                )  # fmt: skip
            if told.profile and told.device != "cpu":
                profiled(plan, pixels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--engines", nargs="+", default=list(TARGETS), choices=list(TARGETS))
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512, 2048])
    parser.add_argument("--batches", type=int, nargs="+", default=list(BUCKETS))
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--forms", type=Path)
    parser.add_argument("--profile", action="store_true")
    told = parser.parse_args()
    with TemporaryDirectory() as folder:
        files, floor = forms(told.forms or Path(folder)), floors(told.device)
        for name in told.engines:
            for precision, path in files.items():
                try:
                    measure(name, precision, path, told, floor)
                except (LiveSMLMError, ModuleNotFoundError) as error:
                    print(f"{name}, {precision}: {error}")


if __name__ == "__main__":
    main()
