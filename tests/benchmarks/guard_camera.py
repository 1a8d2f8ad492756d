"""How soon a wrong camera is found and whether it is named, how often a right one is suspected, and what looking costs.

    OMP_NUM_THREADS=1 python tests/benchmarks/guard_camera.py [delay|null|cost] [--looks 1500] [--runs 3]

128 x 128 pixels of 100 nm, blinking molecules of 1,500 photons, 0.3 per um^2, those below 100 photons in a frame not
found; laser flicker of 5 %, a background that bleaches and, where it says so, has structure of 30 %. Batches of 16
frames, of which two are looked at: only those are simulated. One false alarm in ten hours of 28 batches a second is the
stated rate; `null` prints the largest evidence of a camera that is right beside the limit, in natural logarithms.
"""

import argparse
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
from gpu import maps

from models.camera import Camera
from models.guard.camera.camera_watch import TESTS, CameraWatch
from models.guard.camera.places import Places
from models.guard.cusum import OneSided
from models.scenes.background import structured
from models.scenes.scene import Scene
from models.scenes.settings import SceneSettings
from stream import zoo
from stream.config import EngineSettings
from stream.engines import open_engine

SIDE, MOVIE, BATCH, DIM, PIXEL_NM = 128, 512, 16, 100.0, 100.0
SHAPE = (SIDE, SIDE)
LONGEST = 120


class Light(Camera):
    """Hands out expected photons."""

    def expose(self, photons, rng):
        return np.asarray(photons, np.float32)


def cameras() -> dict[str, Camera]:
    rng = np.random.default_rng(1)
    noise, offset = np.exp(rng.normal(np.log(1.5), 0.35, SHAPE)), 100 + rng.normal(0, 2, SHAPE)
    gain = 2 * (1 + rng.normal(0, 0.02, SHAPE))
    return {
        "sCMOS": Camera(100, 2, 1.5),
        "sCMOS with maps": Camera(*(part.astype(np.float32) for part in (offset, gain, noise))),
        "EMCCD": Camera(200, 1 / 3.6, 36, em_gain=100),
    }


def wrongs(camera: Camera) -> dict[str, tuple[str, Camera]]:
    """What is wrong -> its name, and the camera that is there instead of the rig's."""
    gains = {f"gain x{g}": ("gain", replace(camera, gain_adu_per_e=camera.gain_adu_per_e * g)) for g in GAINS}
    offsets = {f"offset {o:+} ADU": ("offset", replace(camera, offset_adu=camera.offset_adu + o)) for o in (5, -5)}
    return {**gains, **offsets, "read noise x3": ("read_noise", replace(camera, read_noise_e=3 * camera.read_noise_e))}


GAINS = (0.8, 0.9, 1.1, 1.3)


class Movie:
    def __init__(self) -> None:
        settings = SceneSettings(
            SIDE, SIDE, PIXEL_NM, "uniform", density_per_um2=0.3, psf="gaussian", background=0, duty_cycle=0.01
        )
        scene = Scene(settings, Light(), np.random.default_rng(1))
        frames, tables = zip(*(scene.picture() for _ in range(MOVIE)), strict=True)
        found = [table.where(np.asarray(table["photons"]) > DIM) for table in tables]
        self.light = np.stack(frames)
        self.places = [Places.of(table, np.array([k]), PIXEL_NM) for k, table in enumerate(found)]

    def of(self, frames: np.ndarray) -> Places:
        parts = [self.places[k] for k in frames]
        columns = (np.concatenate([getattr(part, side) for part in parts]) for side in ("row", "column"))
        return Places(np.repeat(np.arange(len(parts)), [len(part.row) for part in parts]), *columns)

    def watch(self, rig: Camera, true: Camera, background: float, contrast: float, looks: int, seed: int):
        """Yield the watch after each look."""
        rng, watch = np.random.default_rng(seed), CameraWatch(rig, SHAPE)
        level = structured(SHAPE, background, contrast, (20.0, 50.0, 100.0), rng)
        for k in range(looks):
            pair = np.array([2 * k, 2 * k + 1]) % MOVIE
            power = 1 + 0.05 * rng.standard_normal((2, 1, 1))
            watch.take(true.expose((self.light[pair] + level * np.exp(-k / 3000)) * power, rng), self.of(pair))
            yield watch


def delay(movie: Movie, runs: int) -> None:
    print(
        f"| camera | wrong | background, structure | frames until found (median of {runs}) | said at {LONGEST} looks |"
    )
    for name, rig in cameras().items():
        for wrong, (cause, true) in wrongs(rig).items():
            for background, contrast in ((15.0, 0.0), (15.0, 0.3), (60.0, 0.3)):
                frames, verdicts = [], []
                for seed in range(runs):
                    first, watch = None, None
                    for k, watch in enumerate(movie.watch(rig, true, background, contrast, LONGEST, seed)):
                        first = k + 1 if first is None and watch._noise() else first
                    frames.append(np.inf if first is None else first * BATCH)
                    verdicts.append(said(watch, cause))
                print(
                    f"| {name} | {wrong} | {background:.0f} e, {contrast:.0%} | {np.median(frames):.0f} | "
                    f"{', '.join(verdicts)} |",
                    flush=True,
                )


def said(watch: CameraWatch, cause: str) -> str:
    """Return whether the right cause was named alone, among others, or not."""
    found = watch.findings()
    if not found:
        return "nothing"
    right = [one for one in found if cause in one.evidence]
    alone = right and right[0].name == cause.replace("_", " ")
    return f"{found[0].word} {'right' if alone else 'among others' if right else 'wrong: ' + found[0].name}"


def null(movie: Movie, looks: int) -> None:
    print(
        f"| camera | background, structure | looks | largest evidence (limit {OneSided(TESTS).limit:.1f}) | findings |"
    )
    for name, rig in cameras().items():
        for background, contrast in ((3.0, 0.3), (15.0, 0.0), (60.0, 0.3)):
            largest, findings = 0.0, 0
            for k, watch in enumerate(movie.watch(rig, rig, background, contrast, looks, 11)):
                sides = (watch._ratio, watch._slope, *watch._stripes.values())
                largest = max(largest, watch._below.total, *(max(s.above.total, s.below.total) for s in sides))
                findings += bool(watch.findings()) if k % 50 == 0 else 0
            print(f"| {name} | {background:.0f} e, {contrast:.0%} | {looks} | {largest:.1f} | {findings} |", flush=True)


def cost(movie: Movie) -> None:
    """Processor time of one thread, in turns with the network on the same batches."""
    camera, rng = Camera(100, 2, 1.5), np.random.default_rng(2)
    watch = CameraWatch(camera, SHAPE)
    spent = {"network": [], "look": [], "findings": [], "copy of the batch": []}
    with closing(open_engine(zoo.find("2d-fast"), EngineSettings.model_validate({"threads": 1}))) as engine:
        plan = engine.plan(maps(SIDE, engine.card))
        for first in range(0, MOVIE, BATCH):
            frames = np.arange(first, first + BATCH)
            pixels, places = camera.expose(movie.light[frames] + 15, rng), movie.of(frames)
            for name, action in {
                "network": lambda p=pixels: plan.wait(plan.submit(p, anew=False)),
                "look": lambda p=pixels, at=places: watch.take(p, at),
                "findings": watch.findings,
                "copy of the batch": pixels.copy,
            }.items():
                began = time.process_time()
                action()
                spent[name].append(time.process_time() - began)
    each = {name: float(np.median(times)) for name, times in spent.items()}
    for name, seconds in each.items():
        print(f"| {name} | {1e3 * seconds:.2f} ms | {seconds / each['network']:.2%} of the network |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("delay", "null", "cost"))
    parser.add_argument("--looks", type=int, default=1500)
    parser.add_argument("--runs", type=int, default=3)
    told, movie = parser.parse_args(), Movie()
    if told.what in (None, "cost"):
        cost(movie)
    if told.what in (None, "delay"):
        delay(movie, told.runs)
    if told.what in (None, "null"):
        null(movie, told.looks)


if __name__ == "__main__":
    main()
