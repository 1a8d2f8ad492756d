"""BGnet's published test repeated (Moeckl et al., PNAS 117, 60, 2020), and the modes of [background] on real molecules.

    python tests/benchmarks/background.py --prepare runs        # writes runs/aberrated.npz, the spots to train for
    python tests/benchmarks/background.py --runs runs [--photons 2000] [--level 20] [--contrast 0.3]
    python tests/benchmarks/background.py --smfret ../shared/data --runs runs

Four pupils: open, double helix, tetrapod, and one with random aberrations. Emitters at random z within 80 % of the
depth, each on a structured background of its own (Perlin noise of 0.8, 1.5 and 4 um; --contrast is its standard
deviation over its mean, --level the mean in photo-electrons per pixel), photographed --repeats times. Each picture is
fitted with the true spot, from a start that is off like a localizer's, in the largest window inside BGnet's crop:
with the median of the border as its background, with BGnet's, and with the true one; in focus also with what the
default localizer says, flat. Printed in nm over all pictures:
spread, the standard deviation of the errors; bias, the root mean square over the emitters of their mean error. Then by
what factor BGnet lowers the spread, and how far it stays above the true background's.

Networks are `bgnet-2d.onnx`, `bgnet-double-helix.onnx`, `bgnet-tetrapod.onnx`, `bgnet-aberrated.onnx` in --runs, as
`livesmlm export` wrote them; a row says so where one is missing.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from real_data import repeatability, smfret
from replayed import replay

from models import psf
from models.backgrounds.crops import cut
from models.camera import Camera
from models.localizations import Localizations, concatenate
from models.optics.gaussian import GaussianSpot, constant
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.render import render
from models.optics.spot import Spot
from models.optics.vectorial import VectorialSpot
from models.refining.candidates import Candidates, Options
from models.refining.joint import fit, window_corners
from models.refining.refine import Optics
from models.refining.spline import spline
from models.scenes.background import structured
from stream import zoo
from stream.background import KNOWN
from stream.engines.onnx_runtime import OnnxRuntimeEngine
from stream.frame import Batch
from stream.readers.tables import read_table
from stream.spots import gaussians
from stream.stages.background import Backgrounds, Borders
from stream.stages.bgnet import NetworkBackground
from stream.stages.localize import Localizer

PIXEL_NM, SIDE, WIDTH_NM, DEPTH = 100.0, 64, 130.0, 0.8
PERIODS_PX = (8.0, 15.0, 40.0)
OFF = np.array([0.15, 0.15, 0.06])
"""Errors of the starts: pixels, and a part of half the depth."""
NAMES = ("2d", "double-helix", "tetrapod", "aberrated")
ABERRATED_NM, ABERRATED_WAVES = 600.0, 0.12
LOCALIZER = "2d-fast"
CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.0)


def aberrated() -> LowRankSpot:
    """Spots of a pupil with random aberrations, Noll 5 to 15, and the astigmatism that tells up from down."""
    rng = np.random.default_rng(5)
    waves = rng.normal(size=11)
    waves *= ABERRATED_WAVES / np.linalg.norm(waves)
    modes = {j: float(value) + 0.1 * (j == 6) for j, value in zip(range(5, 16), waves, strict=True)}
    exact = VectorialSpot(Setup(Objective(), zernike_waves=modes, height_nm=ABERRATED_NM), PIXEL_NM, 41)
    return low_rank(exact, (-ABERRATED_NM - 50, ABERRATED_NM + 50), rank=96, z_nodes=19, reach_px=0)


def spot_of(name: str, runs: Path) -> tuple[Spot, tuple[float, float]]:
    """The spots that are drawn, and how deep."""
    if name == "2d":
        return GaussianSpot(constant(WIDTH_NM), PIXEL_NM, 31), (WIDTH_NM, WIDTH_NM)
    made = aberrated() if name == "aberrated" else psf.spot(name, psf.default_space(name), Objective())
    assert made is not None
    return made, (DEPTH * made.z_range_nm[0], DEPTH * made.z_range_nm[1])


def scene(spot: Spot, z_nm: tuple[float, float], options: argparse.Namespace) -> tuple[np.ndarray, ...]:
    """Truth (n, 3) pixels and nm, background (n, y, x) in photo-electrons, frames (n * repeats, y, x)."""
    rng, n = np.random.default_rng(1), options.emitters
    xy, z = rng.uniform(SIDE / 2 - 0.5, SIDE / 2 + 0.5, (n, 2)), rng.uniform(*z_nm, n)
    light = render(
        spot, np.column_stack((xy * PIXEL_NM, z)), np.full(n, options.photons), np.arange(n), (n, SIDE, SIDE)
    )
    background = np.stack(
        [structured((SIDE, SIDE), options.level, options.contrast, PERIODS_PX, rng) for _ in range(n)]
    )
    expected = np.repeat(np.maximum(light, 0) + background, options.repeats, axis=0)
    return np.column_stack((xy, z)), background, CAMERA.expose(expected, rng)


def starts(truth: np.ndarray, depth_nm: float, options: argparse.Namespace) -> Candidates:
    """What a localizer would say."""
    rng, n = np.random.default_rng(2), len(truth)
    sigma = np.tile(OFF * [1, 1, max(depth_nm, WIDTH_NM)], (n, 1))
    return Candidates(
        np.arange(n), truth + rng.normal(0, sigma), sigma, np.full(n, float(options.photons)),
        np.full(n, float(options.level)),
    )  # fmt: skip


def under(estimate: Backgrounds, counts: np.ndarray, found: Candidates) -> np.ndarray:
    """The windows of an estimate, one candidate a frame."""
    tables = [Localizations({"frame": np.zeros(1), "x_nm": x[None], "y_nm": y[None]}) for x, y in
              found.position[:, :2] * PIXEL_NM]  # fmt: skip
    return np.concatenate(estimate.under(list(counts), tables))


def localizers(counts_adu: np.ndarray, found: Candidates, window: int) -> np.ndarray:
    """What the default localizer says of the background nearest to each candidate, flat."""
    engine = OnnxRuntimeEngine(zoo.find(LOCALIZER), threads=1)
    stage = Localizer(engine, CAMERA, SIDE, SIDE, PIXEL_NM, engine.card.threshold)
    none = np.full(len(counts_adu), np.nan)
    batch = Batch(counts_adu, np.arange(len(counts_adu)), none, none, none)
    table = concatenate([stage.process(batch).table, stage.flush().table])
    level = np.full(len(counts_adu), np.nan)
    for frame, (x, y) in enumerate(found.position[:, :2] * PIXEL_NM):
        here = table.where(np.asarray(table["frame"]) == frame)
        if len(here):
            away = np.hypot(np.asarray(here["x_nm"]) - x, np.asarray(here["y_nm"]) - y)
            level[frame] = np.asarray(here["background"])[away.argmin()]
    level[np.isnan(level)] = np.nanmedian(level)
    return np.broadcast_to(level[:, None, None], (len(level), window, window))


def errors_nm(
    counts: np.ndarray, optics: Optics, found: Candidates, background: np.ndarray, truth: np.ndarray
) -> np.ndarray:
    """Fit with a background given (n, window, window); returns the errors (n, 3) nm."""
    level = background.mean(axis=(1, 2), keepdims=True)
    given = Candidates(
        found.frame, found.position, found.sigma, found.photons, level[:, 0, 0].astype(float),
        np.asarray(background - level, np.float32),
    )  # fmt: skip
    noise = np.full((SIDE, SIDE), CAMERA.variance_e2, np.float32)
    options = Options(background_prior=KNOWN, frames=False, rounds=12)
    fitted = fit(counts, noise, optics.spot, given, np.ones(len(counts), bool), options)
    return (fitted.position - truth) * [PIXEL_NM, PIXEL_NM, 1.0]


def report(name: str, options: argparse.Namespace) -> None:
    """Print the rows of a pupil."""
    spot, z_nm = spot_of(name, options.runs)
    truth, background, frames = scene(spot, z_nm, options)
    counts = CAMERA.photo_electrons(frames)
    repeated = np.repeat(truth, options.repeats, axis=0)
    found, window = starts(repeated, z_nm[1], options), psf.crop_px(name if name != "aberrated" else "astigmatic") - 1
    flat = name == "2d"
    optics = (
        gaussians(PIXEL_NM, WIDTH_NM, CAMERA, window)
        if flat
        else Optics(spline(spot, spot.limits_nm[2], window), CAMERA)
    )
    corner = window_corners(found.position[:, :2], window)
    given = {
        "constant": under(Borders(optics), counts, found),
        "true": cut(background, np.repeat(np.arange(len(truth)), options.repeats), corner, window),
    }
    if flat:
        given["localizer"] = localizers(frames, found, window)
    path = options.runs / f"bgnet-{name}.onnx"
    if path.exists():
        network = NetworkBackground(OnnxRuntimeEngine(path), optics, (SIDE, SIDE))
        given["BGnet"] = under(network, counts, found)
    print(f"{name}: {len(truth)} emitters, {options.repeats} pictures each, windows of {window} pixels")
    spread = {}
    if not path.exists():
        print(f"  BGnet     no {path}: livesmlm train bgnet, livesmlm export")
    for label in (label for label in ("constant", "localizer", "BGnet", "true") if label in given):
        error = errors_nm(counts, optics, found, given[label], repeated)[:, : 2 if flat else 3]
        rms = np.sqrt(np.mean((given[label] - given["true"]) ** 2))
        bias = np.sqrt(np.mean(error.reshape(len(truth), options.repeats, -1).mean(1) ** 2, axis=0))
        spread[label] = error.std(0)
        print(f"  {label:9} spread {_row(spread[label])}   bias {_row(bias)}   background off by {rms:.2f} per pixel")
    if "BGnet" in spread:
        gain, left = spread["constant"] / spread["BGnet"], spread["BGnet"] / spread["true"]
        print(f"  BGnet's spread is {_row(gain, 2)} times below the constant's, {_row(left, 2)} times the true one's")


def _row(values: np.ndarray, digits: int = 1) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in values)


def real_molecules(data: Path, runs: Path) -> None:
    """Print how well molecules that stay where they are repeat, with each mode of [background].

    The localizer finds the same ones whatever the mode, so that the rows whose fit is good in all modes are compared.
    """
    model, tables = runs / "bgnet-2d.onnx", {}
    with tempfile.TemporaryDirectory() as name:
        made = smfret(data, Path(name))
        for mode in ("none", "constant", "localizer", "bgnet"):
            if mode == "bgnet" and not model.exists():
                print(f"{mode:9} no {model}: livesmlm train bgnet --psf 2d, livesmlm export")
                continue
            fields = f'[background]\nmode = "{mode}"\n' + (f'model = "{model.resolve()}"\n' if mode == "bgnet" else "")
            out = replay(made.stack, made.camera, "localizer-2d", "all", Path(name) / mode, fields)
            tables[mode] = read_table(out / "table.parquet")
    good = np.logical_and.reduce([table["flags"] == 1 for table in tables.values()])
    for mode, table in tables.items():
        share, pixel_nm = np.mean(table["flags"] == 1), float(made.camera["pixel_size_nm"])
        print(f"{mode:9} {share:.2f} refined; {good.mean():.2f} in all: {repeatability(table.where(good), pixel_nm)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--prepare", type=Path)
    parser.add_argument("--smfret", type=Path)
    parser.add_argument("--photons", type=float, default=2000)
    parser.add_argument("--level", type=float, default=20)
    parser.add_argument("--contrast", type=float, default=0.3)
    parser.add_argument("--emitters", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=8)
    parser.add_argument("--psf", nargs="*", default=NAMES)
    options = parser.parse_args()
    if options.prepare:
        options.prepare.mkdir(parents=True, exist_ok=True)
        aberrated().save(options.prepare / "aberrated.npz")
    elif options.smfret:
        real_molecules(options.smfret, options.runs)
    else:
        for name in options.psf:
            report(name, options)


if __name__ == "__main__":
    main()
