"""A pupil that drifts while molecules blink: how well it is followed, and what that does for z.

    python tests/benchmarks/in_situ.py [--waves 0.15] [--minutes 10] [--every 10] [--density 0.1] [--photons 1500]

Frames of an astigmatic microscope whose wavefront drifts by `--waves` over `--minutes`, in a random direction of Noll 5
to 28. Every `--every` seconds some frames are localized and refined twice, with the spots of the start and with those
that are followed, and the pupil is updated from the latter. Error: root mean square of the wavefront, estimate less
truth at the middle of the frames. Lag: what the drift does in the time by which the estimate is behind, as a time.
"""

import argparse
import os
from dataclasses import replace

import numpy as np

from models.aberrations.molecules import best, cut
from models.aberrations.watch import Known, OpticsWatch
from models.aberrations.wavefront import SHAPE
from models.camera import Camera
from models.localizations import Localizations
from models.matching import match
from models.optics import phase_masks
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot
from models.refining.candidates import Options
from models.refining.refine import REFINED, Optics, refine
from models.refining.spline import spline_of
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings
from stream import zoo
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.frame import Batch
from stream.stages.localize import Localizer

PIXEL_NM, SIDE_PX, HALF_DEPTH_NM, HEIGHT_NM = 100.0, 96, 600.0, 650.0
CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5)
SETUP = Setup(Objective(sample_index=1.518), mask=phase_masks.astigmatism(), height_nm=HEIGHT_NM)
MOLECULES = 80


def frames(
    waves: np.ndarray, density: float, photons: float, count: int, seed: int
) -> tuple[np.ndarray, Localizations]:
    """Frames behind a pupil, and the truth."""
    setup = replace(SETUP, zernike_waves=dict(zip(SHAPE, waves.tolist(), strict=True)))
    spot = low_rank(VectorialSpot(setup, PIXEL_NM, 41), (-HEIGHT_NM, HEIGHT_NM), 96, 20, 0)
    settings = SceneSettings(
        height_px=SIDE_PX, width_px=SIDE_PX, pixel_size_nm=PIXEL_NM, structure="uniform", depth_nm=2 * HALF_DEPTH_NM,
        density_per_um2=density, duty_cycle=0.01, photons=photons, background=10.0,
    )  # fmt: skip
    scene = Scene(settings, CAMERA, np.random.default_rng(seed), spot)
    pictures, truths = zip(*(scene.picture() for _ in range(count)), strict=True)
    return np.stack(pictures), Localizations({n: np.concatenate([t[n] for t in truths]) for n in truths[0]})


def located(engine: OnnxRuntimeEngine, stack: np.ndarray) -> Localizations:
    """What the network says."""
    stage = Localizer(engine, CAMERA, SIDE_PX, SIDE_PX, PIXEL_NM, engine.card.threshold)
    none = np.full(len(stack), np.nan)
    parts = [stage.process(Batch(stack, np.arange(len(stack)), none, none, none)).table, stage.flush().table]
    return Localizations({n: np.concatenate([part[n] for part in parts]) for n in parts[0]})


def axial(table: Localizations, truth: Localizations) -> tuple[float, float, int]:
    """Median z error (bias) and root mean square error of fitted molecules, nm, and their number."""
    good = table.where(np.asarray(table["flags"]) == REFINED)
    bright = truth.where(np.asarray(truth["photons"]) > 500)
    there, here = match(bright, good, 100.0, 500.0)
    error = np.asarray(good["z_nm"])[here] - np.asarray(bright["z_nm"])[there]
    return float(np.median(error)), float(np.sqrt(np.mean(error**2))), len(error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waves", type=float, default=0.15)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every", type=float, default=10.0)
    parser.add_argument("--density", type=float, default=0.1)
    parser.add_argument("--photons", type=float, default=1500.0)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    direction = rng.normal(size=len(SHAPE))
    direction /= np.linalg.norm(direction)
    engine = OnnxRuntimeEngine(zoo.find("astigmatic-fast"), threads=1)
    fixed = Optics(spline_of(LowRankSpot.load(zoo.spot_of("astigmatic-fast"))), CAMERA)
    followed, watch = fixed, OpticsWatch(Known(SETUP, PIXEL_NM))
    options, rows = Options(threads=os.cpu_count() or 1), []
    times = np.arange(0, 60 * args.minutes + 1e-9, args.every)
    for number, time_s in enumerate(times):
        truth_waves = direction * args.waves * time_s / times[-1]
        stack, truth = frames(truth_waves, args.density, args.photons, args.frames, args.seed + number)
        table = located(engine, stack)
        counts = np.asarray(CAMERA.photo_electrons(stack), np.float32)
        frame = np.asarray(table["frame"], np.int64)
        everyone = np.ones(len(table), bool)
        tables = [refine(counts, frame, table, everyone, optics, "all", options) for optics in (fixed, followed)]
        errors = [axial(one, truth) for one in tables]
        molecules = best(cut(counts, frame, tables[1], CAMERA, PIXEL_NM, 21), MOLECULES)
        estimate = watch.take(molecules, float(time_s))
        if estimate.spots is not None:
            followed = Optics(estimate.spots, CAMERA)
        error = float(np.linalg.norm(estimate.waves - truth_waves))
        behind = float((truth_waves - estimate.waves) @ direction)
        rows.append((error, behind, *errors[0], *errors[1]))
        if number % 6 == 0:
            print(
                f"{time_s:5.0f} s: {estimate.molecules:3d} molecules, error {error:.4f} (stated "
                f"{estimate.error_waves:.4f}) waves, epoch {estimate.epoch}; z bias, rms nm: fixed "
                f"{errors[0][0]:+.0f}, {errors[0][1]:.0f}; followed {errors[1][0]:+.0f}, {errors[1][1]:.0f}", flush=True
            )  # fmt: skip
    result = np.array(rows)
    speed = args.waves / times[-1]
    print(f"wavefront: error {np.sqrt((result[:, 0] ** 2).mean()):.4f} waves rms, at most {result[:, 0].max():.4f}")
    print(f"lag: {result[len(result) // 2 :, 1].mean() / speed:.1f} s of drift in the mean of the second half")
    late = result[-len(result) // 5 :]
    for name, at in (("fixed", 2), ("followed", 5)):
        print(
            f"{name}: last fifth, z bias {late[:, at].mean():+.1f} nm, "
            f"rms {np.sqrt((late[:, at + 1] ** 2).mean()):.1f} nm, {late[:, at + 2].mean():.0f} fits a step"
        )


if __name__ == "__main__":
    main()
