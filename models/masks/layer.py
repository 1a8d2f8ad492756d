"""Emitters behind a mask that is being learned -> expected images, differentiable by the mask.

| step | in -> out | axes, unit |
|---|---|---|
| modulator | level of each pixel -> phase at the wavelength | (pixels, pixels) rad |
| pupil | pixels -> cells of the pupil, flat within a pixel | (N, N) rad |
| propagator | position, phase -> fields on the camera (`models/optics/propagator.py`) | (n, 5, y, x) |
| pixels | -> share of the collected photons on each pixel, added up at the emitters' places | (t, y, x) |

Photons are those that the objective collects: a mask of phases takes none, but may send them beyond the window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.masks.learned import LearnedMask
from models.optics.arrays import Array
from models.optics.propagator import Setup
from models.optics.render import render
from models.optics.spot import Limits
from models.optics.vectorial import Aberration, VectorialSpot
from models.sample_space import Range

BATCH = 64
"""Emitters computed at once."""
Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ShownSpot:
    """A spot behind a phase; satisfies `DifferentiableSpot`, differentiable by the phase too.

    Parameters
    ----------
    spot : VectorialSpot
    phase_rad : (N, N) Tensor
        Of the cells of the pupil.
    """

    spot: VectorialSpot
    phase_rad: Tensor

    @property
    def size_px(self) -> int:
        """Edge of the window."""
        return self.spot.size_px

    @property
    def pixel_size_nm(self) -> float:
        """Edge of a pixel, in the sample."""
        return self.spot.pixel_size_nm

    @property
    def limits_nm(self) -> Limits:
        """As the spot's."""
        return self.spot.limits_nm

    def __call__(self, position_nm: Array) -> Array:
        """Return (n, size_px, size_px) of positions (n, 3)."""
        return self.spot(position_nm, self._behind(position_nm))

    def with_gradient(self, position_nm: Array) -> tuple[Array, Array]:
        """Return the images (n, y, x) and their derivatives by x, y and z per nm, (n, 3, y, x)."""
        return self.spot.with_gradient(position_nm, self._behind(position_nm))

    def _behind(self, position_nm: Array) -> Aberration:
        phase = self.phase_rad.to(position_nm.dtype)
        return Aberration(phase_rad=phase.expand(len(position_nm), *phase.shape))


class ImageLayer:
    """Optics of each colour around a pupil that holds a mask.

    Parameters
    ----------
    setups : sequence of Setup
        Of each colour, the mask left out.
    pixel_size_nm : float
    size_px : int
        Edge of a spot's window; odd.

    Raises
    ------
    ValueError
        The window is even.
    """

    def __init__(self, setups: Sequence[Setup], pixel_size_nm: float, size_px: int) -> None:
        self.pixel_size_nm, self.size_px = pixel_size_nm, size_px
        self._exact = [VectorialSpot(setup, pixel_size_nm, size_px, BATCH) for setup in setups]

    @property
    def colours(self) -> int:
        """How many there are."""
        return len(self._exact)

    def spots(self, mask: LearnedMask) -> list[ShownSpot]:
        """Return the spot of each colour behind a mask.

        Raises
        ------
        ValueError
            The mask has more pixels across the pupil than the pupil has cells.
        """
        return [ShownSpot(exact, self._cells(mask, exact)) for exact in self._exact]

    def _cells(self, mask: LearnedMask, exact: VectorialSpot) -> Tensor:
        pupil, setup = exact.propagator.pupil, exact.setup
        if mask.modulator.pixels > setup.pupil_samples:
            raise ValueError(
                f"modulator_pixels = {mask.modulator.pixels}: at most the {setup.pupil_samples} cells that the pupil "
                "is computed on"
            )
        place = torch.from_numpy(mask.modulator.pixel_of(pupil.x, pupil.y)).to(mask.raw.device)
        return mask.phase_rad(setup.objective.wavelength_nm).reshape(-1)[place]


@dataclass(frozen=True, slots=True)
class MaskedSpots:
    """Satisfies `TrainingSpots`: samples behind a mask, in depth or of several colours in focus.

    Parameters
    ----------
    layer : ImageLayer
    mask : LearnedMask
    z_nm : Range or None
        Where emitters of one colour lie; None: all lie in the focal plane, and the third coordinate is their colour,
        0, 1, ...
    """

    layer: ImageLayer
    mask: LearnedMask
    z_nm: Range | None = None

    @property
    def dimensions(self) -> int:
        """3 where z is to be found, else 2."""
        return 2 if self.z_nm is None else 3

    @property
    def pixel_size_nm(self) -> float:
        """Edge of a pixel."""
        return self.layer.pixel_size_nm

    @property
    def size_px(self) -> int:
        """Edge of a spot's window."""
        return self.layer.size_px

    def third(self, settings: dict[str, float], count: int, rng: np.random.Generator) -> Float64:
        """Draw z in nm, or colours."""
        if self.z_nm is None:
            return rng.integers(0, self.layer.colours, count).astype(np.float64)
        return rng.uniform(self.z_nm.low, self.z_nm.high, count)

    def light(
        self, position_nm: Array, photons: Array, frame: Array, shape: tuple[int, int, int], rng: np.random.Generator
    ) -> Array:
        """Return the expected photons, as `render` does."""
        spots = self.layer.spots(self.mask)
        if self.z_nm is not None:
            return render(spots[0], position_nm, photons, frame, shape)
        flat = torch.cat((position_nm[:, :2], 0 * position_nm[:, 2:]), dim=1)
        colour = position_nm[:, 2].round()
        parts = [
            render(spot, flat[colour == c], photons[colour == c], frame[colour == c], shape)
            for c, spot in enumerate(spots)
        ]
        return torch.stack(parts).sum(dim=0)
