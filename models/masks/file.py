"""A mask as a file: its phase, and the wavelength that the phase is stated for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.npz import read_npz
from models.optics.low_rank import SPOT

MASK = "mask.npz"
"""Ending of a mask's file beside the model that was learned with it."""


def mask_beside_spots(spots: str) -> Path | None:
    """Return the mask beside a model's or a training's file of spots, (NAME.)spot.npz; None if there is none."""
    beside = Path(spots.removesuffix(SPOT) + MASK)
    return beside if spots.endswith(SPOT) and beside.is_file() else None


@dataclass(frozen=True, slots=True, eq=False)
class MaskFile:
    """A mask of the square around the pupil; `optics.phase_masks.read` reads it too.

    Parameters
    ----------
    phase_rad : (y, x) float
    wavelength_nm : float
    """

    phase_rad: NDArray[np.floating]
    wavelength_nm: float

    def save(self, path: Path) -> None:
        """Write `.npz`."""
        phase, wavelength = np.asarray(self.phase_rad, np.float32), np.float64(self.wavelength_nm)
        np.savez_compressed(path, phase_rad=phase, wavelength_nm=wavelength)

    @classmethod
    def load(cls, path: Path) -> MaskFile:
        """Read what `save` has written.

        Raises
        ------
        ValueError
            It cannot be read, or holds something else.
        """
        try:
            arrays = read_npz(path)
            phase, wavelength = arrays["phase_rad"], float(arrays["wavelength_nm"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} holds no mask: {error!r}") from error
        if phase.ndim != 2 or not np.isfinite(phase).all() or not 200 <= wavelength <= 2000:
            raise ValueError(f"{path}: phases of shape {phase.shape} at {wavelength:g} nm: (y, x), finite, are needed")
        return cls(phase, wavelength)
