"""Fast spots: a basis of images, and how much of each an emitter at (x, y, z) has.

    h(x, y, z) = sum_k c_k(x, y, z) B_k,  c_k = sum_abd W_abdk T_a(x) T_b(y) T_d(z)

The basis comes from the singular value decomposition of exact spots on a Chebyshev grid of sub-pixel positions and z;
T are Chebyshev polynomials. Everything is a matrix product, for numpy and torch alike, and so are the derivatives.
Whole pixels are moved by cutting the window elsewhere.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from array_api_compat import array_namespace, device
from numpy.typing import NDArray

from models.npz import read_npz
from models.optics.arrays import Array, constant_like
from models.optics.spot import Limits

FORMAT = 1
SPOT = "spot.npz"
"""A file of spots in the folder of a training; behind a name and a dot, beside a model."""
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well the low-rank spots agree with the exact ones at random positions between the nodes.

    Parameters
    ----------
    mean_error, max_error : float
        Root mean square of the difference over that of the exact image.
    positions : int
    """

    mean_error: float
    max_error: float
    positions: int


class LowRankSpot:
    """Spots from a basis; satisfies `DifferentiableSpot`.

    Parameters
    ----------
    basis : (rank, size + 2 reach, size + 2 reach) float
    weights : (terms, rank) float
    degrees : (terms, 3) int
        Degrees a, b, d of each term.
    z_range_nm : (float, float)
    pixel_size_nm : float
    reach_px : int
        Whole pixels by which a spot may be off the centre of its window.
    quality : Quality or None
        None while it was not measured.
    """

    def __init__(
        self,
        basis: Float64,
        weights: Float64,
        degrees: NDArray[np.int64],
        z_range_nm: tuple[float, float],
        pixel_size_nm: float,
        reach_px: int,
        quality: Quality | None = None,
    ) -> None:
        self._basis, self._weights, self._degrees = basis, weights, degrees
        self.z_range_nm, self.pixel_size_nm, self.reach_px = z_range_nm, pixel_size_nm, reach_px
        self.size_px, self.quality = basis.shape[1] - 2 * reach_px, quality
        self._cache: dict[tuple[str, str], tuple[Array, Array]] = {}

    @property
    def rank(self) -> int:
        """Number of basis images."""
        return len(self._basis)

    @property
    def limits_nm(self) -> Limits:
        """The reach and half a pixel to each side; the z range of the basis."""
        reach = (self.reach_px + 0.5) * self.pixel_size_nm
        return (-reach, reach), (-reach, reach), self.z_range_nm

    def __call__(self, position_nm: Array) -> Array:
        """Return (n, size_px, size_px), as `Spot` says. Raises ValueError for positions outside `limits_nm`."""
        whole, features = self._features(position_nm, derivatives=0)
        return self._cut(self._images(features[0]), whole)

    def with_gradient(self, position_nm: Array) -> tuple[Array, Array]:
        """Return images and derivatives, as `DifferentiableSpot` says. Raises ValueError outside `limits_nm`."""
        xp = array_namespace(position_nm)
        whole, features = self._features(position_nm, derivatives=3)
        images = self._images(xp.concat(features))
        cut = self._cut(images, xp.concat([whole] * 4))
        parts = xp.reshape(cut, (4, len(position_nm), self.size_px, self.size_px))
        return parts[0], xp.moveaxis(parts[1:], 0, 1)

    def sub_pixel(self, position_nm: Array) -> Array:
        """Return the whole images (n, size + 2 reach, ...) of emitters that lie within half a pixel of the centre."""
        whole, features = self._features(position_nm, derivatives=0)
        if bool(array_namespace(whole).any(whole != 0)):
            raise ValueError("sub_pixel takes positions within half a pixel of the centre")
        return self._images(features[0])

    def cropped(self, size_px: int, reach_px: int) -> LowRankSpot:
        """Return the same spots in a smaller window that they may leave the centre of by more pixels.

        Raises
        ------
        ValueError
            The window is even, or it and the reach need more pixels than there are.
        """
        spare = self._basis.shape[1] - size_px - 2 * reach_px
        if size_px % 2 == 0 or spare < 0:
            most = self._basis.shape[1] - 2 * reach_px
            raise ValueError(f"size_px = {size_px}: must be odd and at most {most} for reach_px = {reach_px}")
        cut = slice(spare // 2, self._basis.shape[1] - spare // 2)
        return LowRankSpot(
            self._basis[:, cut, cut], self._weights, self._degrees, self.z_range_nm, self.pixel_size_nm, reach_px,
            self.quality,
        )  # fmt: skip

    def _images(self, features: Array) -> Array:
        weights, basis = self._constants(features)
        side = self.size_px + 2 * self.reach_px
        return array_namespace(features).reshape(features @ weights @ basis, (len(features), side, side))

    def _features(self, position_nm: Array, derivatives: int) -> tuple[Array, list[Array]]:
        """Return the whole pixels (n, 2) and the polynomials (n, terms), followed by their derivatives per nm."""
        xp = array_namespace(position_nm)
        self._check(position_nm)
        whole = xp.clip(xp.round(position_nm[:, :2] / self.pixel_size_nm), -self.reach_px, self.reach_px)
        low, high = self.z_range_nm
        scale = (2 / self.pixel_size_nm, 2 / self.pixel_size_nm, 2 / (high - low))
        local = (
            (position_nm[:, 0] - whole[:, 0] * self.pixel_size_nm) * scale[0],
            (position_nm[:, 1] - whole[:, 1] * self.pixel_size_nm) * scale[1],
            (position_nm[:, 2] - low) * scale[2] - 1,
        )
        axes = [_chebyshev(u, int(self._degrees[:, k].max())) for k, u in enumerate(local)]
        picks = [xp.asarray(self._degrees[:, k], device=device(position_nm)) for k in range(3)]
        plain = [xp.take(values, pick, axis=1) for (values, _), pick in zip(axes, picks, strict=True)]
        features = [plain[0] * plain[1] * plain[2]]
        for k in range(derivatives):
            slope = xp.take(axes[k][1], picks[k], axis=1) * scale[k]
            others = [plain[m] for m in range(3) if m != k]
            features.append(slope * others[0] * others[1])
        return whole, features

    def _cut(self, images: Array, whole: Array) -> Array:
        """Move each image by its whole pixels and keep the middle."""
        xp, middle = array_namespace(images), slice(self.reach_px, self.reach_px + self.size_px)
        if not bool(xp.any(whole != 0)):
            return images[:, middle, middle]
        offsets = xp.asarray(np.arange(self.size_px), device=device(images)) + self.reach_px
        x, y = (xp.astype(whole[:, k], offsets.dtype) for k in range(2))
        rows, columns = offsets[None, :] - y[:, None], offsets[None, :] - x[:, None]
        which = xp.asarray(np.arange(len(images)), device=device(images))
        return images[which[:, None, None], rows[:, :, None], columns[:, None, :]]

    def _check(self, position_nm: Array) -> None:
        xp = array_namespace(position_nm)
        for axis, name in enumerate("xyz"):
            (low, high), values = self.limits_nm[axis], position_nm[:, axis]
            wrong = ~((values >= low - 1e-3) & (values <= high + 1e-3))  # a NaN is outside too
            if bool(xp.any(wrong)):
                raise ValueError(
                    f"{name} = {values[wrong][0]:g} nm is outside {low:g} to {high:g} nm, where these spots are known; "
                    "move whole pixels into the window's place, or build them for a longer z range"
                )

    def _constants(self, like: Array) -> tuple[Array, Array]:
        key = (str(like.dtype), str(device(like)))
        if key not in self._cache:
            flat = self._basis.reshape(self.rank, -1)
            self._cache[key] = (constant_like(self._weights, like), constant_like(flat, like))
        return self._cache[key]

    def save(self, path: Path) -> None:
        """Write one small `.npz`."""
        about = {
            "format": FORMAT, "pixel_size_nm": self.pixel_size_nm, "z_range_nm": self.z_range_nm,
            "reach_px": self.reach_px, "quality": asdict(self.quality) if self.quality else None,
        }  # fmt: skip
        np.savez_compressed(
            path, about=json.dumps(about), basis=self._basis.astype("f4"), weights=self._weights.astype("f4"),
            degrees=self._degrees.astype("i2"),
        )  # fmt: skip

    @classmethod
    def load(cls, path: Path) -> LowRankSpot:
        """Read what `save` wrote; raises ValueError if the file is something else."""
        try:
            archive = read_npz(path)
            about = json.loads(str(archive["about"]))
            basis, weights, degrees = (archive[name] for name in ("basis", "weights", "degrees"))
        except (KeyError, ValueError) as error:
            raise ValueError(f"{path} holds no low-rank spots: {error}") from error
        if about["format"] != FORMAT:
            raise ValueError(f"{path} has format {about['format']}, this version reads format {FORMAT}")
        low, high = about["z_range_nm"]
        quality = Quality(**about["quality"]) if about["quality"] else None
        arrays = basis.astype(float), weights.astype(float), degrees.astype(int)
        return cls(*arrays, (low, high), about["pixel_size_nm"], about["reach_px"], quality)


def _chebyshev(u: Array, degree: int) -> tuple[Array, Array]:
    """Return T_0 .. T_degree (n, degree + 1) and their derivatives, by the recurrence of both."""
    xp = array_namespace(u)
    values, slopes = [0 * u + 1, u], [0 * u, 0 * u + 1]
    for _ in range(degree - 1):
        values.append(2 * u * values[-1] - values[-2])
        slopes.append(2 * values[-2] + 2 * u * slopes[-1] - slopes[-2])
    return xp.stack(values[: degree + 1], axis=1), xp.stack(slopes[: degree + 1], axis=1)
