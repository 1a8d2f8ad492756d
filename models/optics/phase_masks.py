"""Masks in the pupil that give a spot an axial signature: complex transmissions at (x, y) of the pupil.

| mask | what it does to a spot | source |
|---|---|---|
| astigmatism | elliptic, its axis turns over through focus | Huang et al. 2008 |
| double helix | two lobes that turn with z | Pavani et al. 2009; Fresnel zones: Prasad 2013 |
| tetrapod | lobes along one axis, then along the other; 2 to 6 um | Shechtman et al. 2014, 2015 |
| vortex | a ring that tells the orientation of a fixed dipole | Hulleman et al. 2021 |
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError
from tifffile import imread

from models.npz import read_npz
from models.optics import zernike
from models.optics.propagator import Mask

TETRAPOD_WAVES: dict[int, Mapping[int, float]] = {
    2: {6: -0.068, 12: -0.204, 24: 0.005},
    3: {6: -0.137, 12: -0.315, 24: -0.016},
    4: {6: -0.174, 12: -0.399, 24: -0.010},
    6: {6: -0.250, 12: -0.498, 24: 0.017},
}
"""Range in um -> Noll coefficients in waves; `tests/benchmarks/tetrapod.py` finds them by the bounds of x, y and z."""


def zernikes(waves: Mapping[int, float]) -> Mask:
    """Return a mask of Noll coefficients in waves, unit root mean square each."""

    def mask(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.complex128]:
        return np.asarray(np.exp(2j * np.pi * sum((c * zernike.evaluate(j, x, y) for j, c in waves.items()), 0 * x)))

    return mask


def astigmatism(waves: float = 0.1) -> Mask:
    """Return vertical astigmatism (Noll 6)."""
    return zernikes({6: waves})


def double_helix(zones: int = 5) -> Mask:
    """Return vortices in Fresnel zones of equal area: phase (2 l - 1) phi in zone l (Prasad 2013).

    More zones: slower turning over a longer range.
    """

    def mask(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.complex128]:
        zone = np.clip(np.ceil(zones * (x**2 + y**2)), 1, zones)
        return np.exp(1j * (2 * zone - 1) * np.arctan2(y, x))

    return mask


def vortex(charge: int = 1) -> Mask:
    """Return a phase that winds `charge` times around the centre."""

    def mask(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.complex128]:
        return np.exp(1j * charge * np.arctan2(y, x))

    return mask


def tetrapod(range_um: int) -> Mask:
    """Return the tetrapod for an axial range in um; raises ValueError if there is none for it."""
    if range_um not in TETRAPOD_WAVES:
        raise ValueError(f"no tetrapod of {range_um} um: there are those of {', '.join(map(str, TETRAPOD_WAVES))} um")
    return zernikes(TETRAPOD_WAVES[range_um])


def free_form(values: NDArray[Any]) -> Mask:
    """Return a mask of SLM pixels.

    Parameters
    ----------
    values : (N, M)
        Axes (y, x) over the square around the pupil: phase in rad, or complex transmission. Pixels of
        a modulator are flat: they are not interpolated.

    Raises
    ------
    ValueError
        Not two axes, or values that are not finite, or a transmission above 1.
    """
    if values.ndim != 2 or not values.size:
        raise ValueError(f"a mask has shape {values.shape}: two axes (y, x) are needed")
    if not np.isfinite(values).all():
        raise ValueError(f"{int((~np.isfinite(values)).sum())} pixels of the mask are not finite numbers")
    transmission = values if np.iscomplexobj(values) else np.exp(1j * values.astype(float))
    if np.abs(transmission).max() > 1 + 1e-6:
        raise ValueError(f"the mask transmits up to {np.abs(transmission).max():g}: at most 1 is possible")

    def mask(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.complex128]:
        rows, columns = (
            np.clip(((at + 1) / 2 * size).astype(int), 0, size - 1)
            for at, size in zip((y, x), values.shape, strict=True)
        )
        return np.asarray(transmission[rows, columns], complex)

    return mask


def read(path: Path) -> Mask:
    """Read a free-form mask: `.npy`, `.npz` and `.mat` with one array, `.tif`.

    Raises
    ------
    ValueError
        The file cannot be read, or does not hold exactly one array of two axes.
    """
    try:
        arrays = _READERS[path.suffix.lower()](path)
    except KeyError:
        raise ValueError(f"mask {path}: a file that ends in {', '.join(_READERS)} is needed") from None
    except (OSError, ValueError, EOFError, MatReadError, NotImplementedError) as error:
        raise ValueError(f"mask {path} cannot be read: {error}") from error
    planes = [array for array in arrays if array.ndim == 2 and min(array.shape) > 1]
    if len(planes) != 1:
        raise ValueError(f"mask {path} holds {len(planes)} arrays of two axes: exactly one is needed")
    return free_form(planes[0])


def _npz(path: Path) -> list[NDArray[Any]]:
    return list(read_npz(path).values())


def _mat(path: Path) -> list[NDArray[Any]]:
    return [
        array for name, array in loadmat(path).items() if not name.startswith("__") and isinstance(array, np.ndarray)
    ]


def _npy(path: Path) -> list[NDArray[Any]]:
    return [np.load(path, allow_pickle=False)]


def _tiff(path: Path) -> list[NDArray[Any]]:
    return [imread(path)]


_READERS = {".npy": _npy, ".npz": _npz, ".mat": _mat, ".tif": _tiff, ".tiff": _tiff}
