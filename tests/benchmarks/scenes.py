"""Frames per second of simulated scenes, camera noise included: 64 x 64 pixels, one emitter per square micrometre.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python tests/benchmarks/scenes.py

And the demo's scene, which must be quicker than its 20 frames per second.
"""

import time

import numpy as np

from models.camera import Camera
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings

SECONDS = 3.0
CAMERA = Camera(gain_adu_per_e=2.0, read_noise_e=1.5)


def report(name: str, settings: SceneSettings) -> None:
    began = time.perf_counter()
    scene = Scene(settings, CAMERA, np.random.default_rng(1))
    scene.picture()
    ready, frames, emitters = time.perf_counter(), 0, 0
    while time.perf_counter() < ready + SECONDS:
        frames, emitters = frames + 1, emitters + len(scene.picture()[1])
    spent = time.perf_counter() - ready
    rates = f"{frames / spent:7,.0f} frames/s, {emitters / spent:8,.0f} emitters/s"
    print(f"{name:32} {rates}; set up in {ready - began:.1f} s")


def main() -> None:
    dense = {"height_px": 64, "width_px": 64, "density_per_um2": 1.0, "structure": "uniform", "duty_cycle": 0.01}
    report("64 x 64, Gaussian", SceneSettings(psf="gaussian", **dense))
    report("64 x 64, vectorial in focus", SceneSettings(**dense))
    report("64 x 64, astigmatic, 1 um", SceneSettings(depth_nm=1000, mask="astigmatism", **dense))
    report("64 x 64, tetrapod, 3 um", SceneSettings(depth_nm=3000, mask="tetrapod-3", **dense))
    report("256 x 256, the demo's", SceneSettings())


if __name__ == "__main__":
    main()
