"""Spots made of spots: several planes seen at once, and light of several wavelengths."""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace

from models.optics.arrays import Array
from models.optics.spot import DifferentiableSpot, Limits


class _Parts:
    """Spots with windows and pixels of the same size, and what part of the light each of them gets.

    Parameters
    ----------
    spots : sequence of DifferentiableSpot
    shares : sequence of float or None
        Their sum is 1; equal parts if None.

    Raises
    ------
    ValueError
        The windows differ, or the shares do not sum to 1.
    """

    def __init__(self, spots: Sequence[DifferentiableSpot], shares: Sequence[float] | None = None) -> None:
        self._spots, self._shares = spots, _shares(spots, shares)
        self.size_px, self.pixel_size_nm = spots[0].size_px, spots[0].pixel_size_nm

    @property
    def limits_nm(self) -> Limits:
        """What all parts know."""
        x, y, z = (
            (max(spot.limits_nm[axis][0] for spot in self._spots), min(spot.limits_nm[axis][1] for spot in self._spots))
            for axis in range(3)
        )
        return x, y, z

    def _images(self, position_nm: Array) -> list[Array]:
        return [share * spot(position_nm) for spot, share in zip(self._spots, self._shares, strict=True)]

    def _with_slopes(self, position_nm: Array) -> tuple[list[Array], list[Array]]:
        both = [spot.with_gradient(position_nm) for spot in self._spots]
        images = [share * image for (image, _), share in zip(both, self._shares, strict=True)]
        return images, [share * slope for (_, slope), share in zip(both, self._shares, strict=True)]


class Planes(_Parts):
    """Several cameras, or parts of one, that see the same emitter at different focus (biplane and more).

    Satisfies `DifferentiableSpot` with one axis more: (n, planes, y, x). Photons are those of all planes together.
    """

    def __call__(self, position_nm: Array) -> Array:
        """Return (n, planes, size_px, size_px)."""
        return array_namespace(position_nm).stack(self._images(position_nm), axis=1)

    def with_gradient(self, position_nm: Array) -> tuple[Array, Array]:
        """Return the images (n, planes, y, x) and their derivatives (n, 3, planes, y, x)."""
        xp, (images, slopes) = array_namespace(position_nm), self._with_slopes(position_nm)
        return xp.stack(images, axis=1), xp.stack(slopes, axis=2)


class Spectrum(_Parts):
    """Light of several wavelengths on the same pixels. Satisfies `DifferentiableSpot`."""

    def __call__(self, position_nm: Array) -> Array:
        """Return (n, size_px, size_px)."""
        return sum(self._images(position_nm))

    def with_gradient(self, position_nm: Array) -> tuple[Array, Array]:
        """Return the images (n, y, x) and their derivatives (n, 3, y, x)."""
        images, slopes = self._with_slopes(position_nm)
        return sum(images), sum(slopes)


def _shares(spots: Sequence[DifferentiableSpot], shares: Sequence[float] | None) -> list[float]:
    windows = {(spot.size_px, spot.pixel_size_nm) for spot in spots}
    if len(windows) != 1:
        raise ValueError(f"windows (pixels, nm) are {sorted(windows)}: all must be the same")
    given = [1 / len(spots)] * len(spots) if shares is None else list(shares)
    if len(given) != len(spots) or abs(sum(given) - 1) > 1e-6 or min(given) < 0:
        raise ValueError(f"shares {given} of {len(spots)} spots: one for each, none negative, the sum 1")
    return given
