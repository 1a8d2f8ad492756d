"""Training patches: three consecutive frames with known emitters, drawn from a sample space, in numpy.

Everything is in photo-electrons. The PSF is a pixel-integrated Gaussian core, slightly elliptic, with a share of the
light in a wider halo, because real spots have rings and tails that a plain Gaussian lacks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.optics.gaussian import profiles
from models.sample_space import SampleSpace

FloatArray = NDArray[np.float32]
FRAMES = 3
MARGIN_PX = 4


@dataclass(frozen=True, slots=True)
class Patches:
    """A batch of training samples; counts are photo-electrons / F**2.

    Parameters
    ----------
    counts : (b, 3, y, x) float32
    variance : (b, y, x) float32
    background : (b, y, x) float32
        Of the middle frame.
    sample, x_px, y_px, emitter_counts : (n,)
        Emitters of the middle frame whose position lies inside the patch.
    """

    counts: FloatArray
    variance: FloatArray
    background: FloatArray
    sample: NDArray[np.int64]
    x_px: FloatArray
    y_px: FloatArray
    emitter_counts: FloatArray


@dataclass(frozen=True, slots=True)
class _Emitters:
    x_px: FloatArray
    y_px: FloatArray
    photons: FloatArray  # (3, n)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw from a density that is flat in the logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def overlap(start: FloatArray, end: FloatArray, frames: int) -> FloatArray:
    """Return the share of each frame k (from time k to k + 1) that [start, end] covers, (frames, n) float32."""
    k = np.arange(frames, dtype=np.float32)[:, None]
    return np.asarray(np.clip(np.minimum(end, k + 1) - np.maximum(start, k), 0, 1), np.float32)


def _emitters(space: SampleSpace, size: int, rng: np.random.Generator) -> _Emitters:
    """Draw emitters: those on at time 0 live on for an exponential time (memoryless), others start uniformly."""
    on_time = log_uniform(rng, space["on_time_frames"].low, space["on_time_frames"].high)
    pixel_um = rng.uniform(space["pixel_size_nm"].low, space["pixel_size_nm"].high) / 1000
    density = log_uniform(rng, space["density_per_um2"].low, space["density_per_um2"].high)
    alive = density * (pixel_um * (size + 2 * MARGIN_PX)) ** 2
    old, new = rng.poisson(alive), rng.poisson(alive * FRAMES / on_time)
    start = np.concatenate([np.zeros(old), rng.uniform(0, FRAMES, new)])
    flux = log_uniform(rng, 0.8 * space["photons"].low, space["photons"].high) * rng.lognormal(
        0, rng.uniform(0.05, 0.6), old + new
    )
    flux = np.clip(flux, 0.5 * space["photons"].low, space["photons"].high)
    share = overlap(start.astype(np.float32), (start + rng.exponential(on_time, old + new)).astype(np.float32), FRAMES)
    x, y = rng.uniform(-MARGIN_PX, size + MARGIN_PX, (2, old + new)).astype(np.float32)
    return _Emitters(x, y, (share * flux).astype(np.float32))


def _background(space: SampleSpace, size: int, rng: np.random.Generator) -> FloatArray:
    """(y, x) smooth background: a level times one plus a few slow waves."""
    level = max(log_uniform(rng, 0.3, space["background_e"].high) - 0.3, space["background_e"].low)
    u = np.arange(size, dtype=np.float32) / size
    waves = np.ones((size, size), np.float32)
    for _ in range(3):
        fx, fy, phase = rng.uniform(-1.5, 1.5), rng.uniform(-1.5, 1.5), rng.uniform(0, 2 * np.pi)
        waves += rng.uniform(0, 0.12) * np.sin(2 * np.pi * (fx * u[None, :] + fy * u[:, None]) + phase).astype(
            np.float32
        )
    return (level * waves).astype(np.float32)


def _draw(emitters: _Emitters, space: SampleSpace, size: int, rng: np.random.Generator) -> FloatArray:
    """(3, y, x) expected photo-electrons of the emitters."""
    sigma = log_uniform(rng, space["psf_sigma_px"].low, space["psf_sigma_px"].high)
    ellipticity = rng.normal(0, 0.03)
    halo = rng.uniform(0, 0.25) * (rng.random() < 0.6)
    light = np.zeros((FRAMES, size, size), np.float32)
    for share, width in ((1 - halo, sigma), (halo, sigma * rng.uniform(1.6, 2.6))):
        if share == 0:
            continue
        gx = profiles(emitters.x_px, width * (1 + ellipticity), size)
        gy = profiles(emitters.y_px, width * (1 - ellipticity), size)
        light += (share * emitters.photons[:, None, :] * gy.T) @ gx
    return light


def _camera(space: SampleSpace, size: int, rng: np.random.Generator) -> Camera:
    """Draw a camera: behind an EM register, or with per-pixel read noise, some of it hot."""
    if rng.random() < space.number("em_share"):
        gain, em_gain = log_uniform(rng, 0.02, 0.5), log_uniform(rng, 30, 300)
        return Camera(gain_adu_per_e=gain, read_noise_e=rng.uniform(0, 50), em_gain=em_gain)
    noise = np.full((size, size), rng.uniform(space["read_noise_e"].low, 0.6 * space["read_noise_e"].high), np.float32)
    noise *= np.exp(rng.normal(0, 0.15, noise.shape)).astype(np.float32)
    if rng.random() < space.number("hot_share"):
        noise[rng.random(noise.shape) < 0.01] *= 4
    return Camera(gain_adu_per_e=log_uniform(rng, 0.3, 10), read_noise_e=noise)


def _lose_context(counts: FloatArray, rng: np.random.Generator) -> None:
    """Now and then repeat the middle frame, as at the first and last frame of a run and beside a gap."""
    for neighbour in (0, 2):
        if rng.random() < 0.04:
            counts[neighbour] = counts[1]


def sample(space: SampleSpace, batch: int, size: int, rng: np.random.Generator) -> Patches:
    """Draw `batch` samples of `size` x `size` pixels."""
    counts, variance, background, who, x, y, photons = [], [], [], [], [], [], []
    for b in range(batch):
        emitters, level, camera = _emitters(space, size, rng), _background(space, size, rng), _camera(space, size, rng)
        adu = camera.expose(_draw(emitters, space, size, rng) + level, rng)
        frames = camera.photo_electrons(adu) / np.float32(camera.excess)
        _lose_context(frames, rng)
        counts.append(frames)
        noise = np.asarray(camera.variance_e2, np.float32) / np.float32(camera.excess**2)
        variance.append(np.broadcast_to(noise, (size, size)))
        background.append(level / np.float32(camera.excess))
        inside = (emitters.photons[1] > 0.3 * space["photons"].low) & _inside(emitters, size)
        who.append(np.full(int(inside.sum()), b))
        x.append(emitters.x_px[inside])
        y.append(emitters.y_px[inside])
        photons.append(emitters.photons[1, inside] / np.float32(camera.excess))
    return Patches(
        np.stack(counts), np.stack(variance), np.stack(background),
        np.concatenate(who), np.concatenate(x), np.concatenate(y), np.concatenate(photons),
    )  # fmt: skip


def _inside(emitters: _Emitters, size: int) -> NDArray[np.bool_]:
    x, y = emitters.x_px, emitters.y_px
    return (x >= 0) & (x < size) & (y >= 0) & (y < size)
