"""Spots per second: exact from 64 cells of the pupil to 31 pixels, with derivatives, and low-rank.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python tests/benchmarks/psf.py

On one core by numpy and torch, and on CUDA where there is a device.
"""

import time
from collections.abc import Callable

import numpy as np
import torch

from models.optics import phase_masks
from models.optics.arrays import Array
from models.optics.low_rank_build import low_rank
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot

SECONDS = 2.0
SIZE_PX, PIXEL_NM = 31, 100.0


def rate(work: Callable[[], object], each: int) -> float:
    """Return the spots per second of a call that makes `each` of them; the best of the calls in two seconds."""
    work()
    end, best = time.perf_counter() + SECONDS, np.inf
    while time.perf_counter() < end:
        began = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return each / best


def main() -> None:
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    setup = Setup(mask=phase_masks.astigmatism(), height_nm=700)
    exact, wide = VectorialSpot(setup, PIXEL_NM, SIZE_PX), VectorialSpot(setup, PIXEL_NM, SIZE_PX + 4)
    fast = low_rank(wide, (-600, 600))
    rng = np.random.default_rng(1)
    print(f"low-rank: rank {fast.rank}, error mean {fast.quality.mean_error:.1e}, max {fast.quality.max_error:.1e}")
    print(f"spots of {SIZE_PX} x {SIZE_PX} pixels per second, single precision: image, image and derivatives")
    devices = ["numpy", "torch cpu", *(["torch cuda"] if torch.cuda.is_available() else [])]
    for device in devices:
        for name, spot, count in (("exact", exact, 256), ("low-rank", fast, 4096)):
            if device == "torch cuda":
                count *= 16
                exact.batch = 1024
            positions: Array = rng.uniform((-50, -50, -600), (50, 50, 600), (count, 3)).astype(np.float32)
            if device != "numpy":
                positions = torch.from_numpy(positions).to(device.removeprefix("torch "))
            image = rate(lambda s=spot, p=positions: s(p), count)
            both = rate(lambda s=spot, p=positions: s.with_gradient(p), count)
            print(f"  {device:10} {name:9} {image:10,.0f} {both:10,.0f}")


if __name__ == "__main__":
    main()
