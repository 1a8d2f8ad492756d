"""Real microtubules behind a tetrapod (Nehme et al. 2020): spots from the mask that was used, a run, what it explains.

    python tests/benchmarks/tetrapod_storm.py --data ../shared/data --prepare runs/tetrapod-storm
    livesmlm train deepstorm3d-list --psf runs/tetrapod-storm/mask.npz --sample-space models/zoo/tetrapod-storm.toml \\
        --out runs/tetrapod-storm/list && livesmlm export runs/tetrapod-storm/list --out runs/tetrapod-storm/list.onnx
    python tests/benchmarks/tetrapod_storm.py --data ../shared/data --model runs/tetrapod-storm/list.onnx

What is known: 110 nm, NA 1.45, 670 nm, z from 0 to 4 um, the mask. What is taken: the focal plane in the middle of that
depth; the mask's disc of 165 cells, of 329, is the aperture of water, 1.33, since nothing is beyond it; 4.3 counts per
photo-electron and an offset of 13, from how the noise between frames grows with the mean of the pixels (the minimum was
taken out of the frames). No list is known, so the frames are drawn again from what was found: how much of what varies
beyond the background and the noise is explained, and chi squared per pixel where there is light.
"""

from pathlib import Path

import numpy as np
from imagecodecs import png_encode
from replayed import arguments, replay
from scipy.io import loadmat
from scipy.ndimage import gaussian_filter
from tifffile import imread

from models.camera import Camera
from models.optics.low_rank import LowRankSpot
from models.optics.low_rank_build import low_rank
from models.optics.objective import Objective
from models.optics.phase_masks import free_form
from models.optics.propagator import Setup
from models.optics.render import render
from models.optics.vectorial import VectorialSpot
from stream.readers.tables import read_table

PIXEL_NM, HALF_DEPTH_NM, WINDOW_PX = 110.0, 2000.0, 63
OBJECTIVE = Objective(numerical_aperture=1.45, wavelength_nm=670.0)
OFFSET_ADU, ADU_PER_E, READ_NOISE_E = 13.0, 4.3, 1.5
CAMERA = {
    "pixel_size_nm": PIXEL_NM, "offset_adu": OFFSET_ADU, "gain_e_per_adu": 1 / ADU_PER_E, "read_noise_e": READ_NOISE_E,
}  # fmt: skip
DISC_CELLS = 165
FRAMES, MASK = "tetrapod-storm/tetrapod_mt_50x332x492.tif", "tetrapod-storm/Mat_Files/mask_tetrapod.mat"
BACKGROUND_PX = 25.0
"""The background is what is left under a Gaussian so wide: three times as wide as a spot."""
LIGHT_E = 4.0
"""Where frames under a Gaussian of two pixels are so far above their background there are molecules."""


def prepare(data: Path, out: Path) -> None:
    """Write the spots of the mask as `mask.npz`."""
    phase = loadmat(data / MASK)["mask_tetra_model"]
    middle, half = len(phase) // 2, round(DISC_CELLS / 2 * OBJECTIVE.numerical_aperture / OBJECTIVE.sample_index)
    inside = phase[middle - half : middle + half + 1, middle - half : middle + half + 1]
    setup = Setup(OBJECTIVE, mask=free_form(inside), height_nm=HALF_DEPTH_NM, pupil_samples=128)
    exact = VectorialSpot(setup, PIXEL_NM, WINDOW_PX)
    spot = low_rank(exact, (-HALF_DEPTH_NM - 50, HALF_DEPTH_NM + 50), rank=96, z_nodes=62, reach_px=0)
    out.mkdir(parents=True, exist_ok=True)
    spot.save(out / "mask.npz")
    print(f"{out / 'mask.npz'}: rank {spot.rank}, {spot.quality}")


def explained(data: Path, model: Path) -> None:
    """Run the model, draw again what it found, and print what that explains."""
    out = model.with_name(f"{model.stem}-run")
    table = read_table(replay(data / FRAMES, CAMERA, str(model), "off", out, accept_outside=True) / "locs.hdf5")
    camera = Camera(offset_adu=OFFSET_ADU, gain_adu_per_e=ADU_PER_E, read_noise_e=READ_NOISE_E)
    counts = np.asarray(camera.photo_electrons(imread(data / FRAMES)), np.float64)
    spot = LowRankSpot.load(model.with_suffix(".spot.npz"))
    place = np.column_stack([np.asarray(table[name], np.float64) for name in ("x_nm", "y_nm", "z_nm")])
    photons, frame = np.asarray(table["photons"], np.float64), np.asarray(table["frame"], np.int64)
    drawn = np.asarray(render(spot, place, photons, frame, counts.shape))
    print(f"{len(frame)} molecules in {len(counts)} frames, median {np.median(photons):.0f} photons")
    print(f"z in nm, percentiles 5, 25, 50, 75, 95: {np.percentile(place[:, 2], (5, 25, 50, 75, 95)).round()}")
    bright = np.stack([gaussian_filter(f, 2) - gaussian_filter(f, BACKGROUND_PX) > LIGHT_E for f in counts])
    nothing, left = _left(counts, np.zeros_like(drawn)), _left(counts, drawn)
    noise = np.maximum(gaussian_filter(counts, (0, 2, 2)), 0) + READ_NOISE_E**2
    above = [float((part[bright] ** 2 - noise[bright]).sum()) for part in (nothing, left)]
    chi2 = [float((part[bright] ** 2 / noise[bright]).mean()) for part in (nothing, left)]
    print(f"where there is light, {bright.mean():.1%} of the pixels: explained {1 - above[1] / above[0]:.1%};")
    print(f"chi squared per pixel {chi2[1]:.2f}, without molecules {chi2[0]:.2f}")
    _show(counts[len(counts) // 5], drawn[len(counts) // 5], left[len(counts) // 5], out / "drawn-again.png")


def _left(counts: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return what is left of the frames (t, y, x) without what was drawn and without their background."""
    rest = counts - drawn
    return rest - gaussian_filter(rest, (0, BACKGROUND_PX, BACKGROUND_PX))


def _show(seen: np.ndarray, drawn: np.ndarray, left: np.ndarray, path: Path) -> None:
    """Write a frame, what was drawn and what is left, one below the other, with one contrast."""
    parts = (seen - np.median(seen), drawn, left)
    top = np.percentile(parts[0], 99.8)
    path.write_bytes(png_encode(np.concatenate([np.uint8(255 * np.clip(part / top, 0, 1)) for part in parts])))
    print(path)


def main() -> None:
    given = arguments(__doc__)
    if given.prepare:
        prepare(given.data, given.prepare)
    if given.model:
        explained(given.data, given.model)


if __name__ == "__main__":
    main()
