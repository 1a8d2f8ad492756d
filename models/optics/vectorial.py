"""The image of a freely rotating dipole in a layered sample, through an objective with any pupil.

    h = (2 |G_A|^2 + 2 |G_Bc|^2 + 2 |G_Bs|^2 + |G_Cc|^2 + |G_Cs|^2) / energy, integrated over each pixel

Photons are those that the objective collects: an infinite window sums to 1, less what a mask absorbs.
Sources: Stallinga & Rieger, Opt. Express 18 (2010); `models/optics/propagator.py` for the fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from array_api_compat import array_namespace

from models.optics.arrays import Array, constant_like
from models.optics.propagator import Propagator, Setup
from models.optics.pupil import FREE_ROTATION
from models.optics.spot import Limits
from models.optics.transform import MARGIN_PX, integrate_pixels


@dataclass(frozen=True, slots=True)
class Aberration:
    """What differs from emitter to emitter besides its position.

    Parameters
    ----------
    focus_nm : (n,) float or None
        Added to the setup's focus: the slices of a bead stack.
    phase_rad : (n, N, N) float or None
        Added to the pupil's phase; `Propagator.zernike_phase` makes it.
    """

    focus_nm: Array | None = None
    phase_rad: Array | None = None


class VectorialSpot:
    """Exact spots; satisfies `DifferentiableSpot`, for numpy and torch, differentiable by torch too.

    Parameters
    ----------
    setup : Setup
    pixel_size_nm : float
    size_px : int
        Edge of the window; odd.
    batch : int
        Emitters computed at once; 16 keep the fields in a processor's cache, a GPU wants hundreds.

    Raises
    ------
    ValueError
        The window is even.
    """

    def __init__(self, setup: Setup, pixel_size_nm: float, size_px: int = 31, batch: int = 16) -> None:
        if size_px % 2 == 0:
            raise ValueError(f"size_px = {size_px}: a window needs a middle pixel; take {size_px + 1}")
        self.setup, self.pixel_size_nm, self.size_px, self.batch = setup, pixel_size_nm, size_px, batch
        self.propagator = Propagator(setup, size_px + 2 * MARGIN_PX, pixel_size_nm)

    @property
    def limits_nm(self) -> Limits:
        """The window laterally; any z."""
        reach = self.size_px * self.pixel_size_nm / 2
        return (-reach, reach), (-reach, reach), (-inf, inf)

    def __call__(self, position_nm: Array, aberration: Aberration | None = None) -> Array:
        """Return (n, size_px, size_px): the share of the collected photons that falls on each pixel.

        Parameters
        ----------
        position_nm : (n, 3) float
            x, y from the centre of the window, z from the focal plane, away from the coverslip.
        aberration : Aberration or None
        """
        parts = [self._images(*part, slopes=False)[0] for part in self._parts(position_nm, aberration)]
        return array_namespace(position_nm).concat(parts)

    def with_gradient(self, position_nm: Array, aberration: Aberration | None = None) -> tuple[Array, Array]:
        """Return the images (n, y, x) and their derivatives by x, y and z per nm, (n, 3, y, x)."""
        parts = [self._images(*part, slopes=True) for part in self._parts(position_nm, aberration)]
        xp = array_namespace(position_nm)
        images, gradients = zip(*parts, strict=True)
        return xp.concat(images), xp.concat(gradients)

    def _parts(self, position_nm: Array, aberration: Aberration | None) -> list[tuple[Array, Array, Array | None]]:
        """Cut into batches; at least one, so that no emitter at all gives an empty image."""
        a = aberration or Aberration()
        focus = 0 * position_nm[:, 0] if a.focus_nm is None else a.focus_nm
        cuts = [slice(at, at + self.batch) for at in range(0, max(len(position_nm), 1), self.batch)]
        return [(position_nm[c], focus[c], None if a.phase_rad is None else a.phase_rad[c]) for c in cuts]

    def _images(
        self, position_nm: Array, focus_nm: Array, phase_rad: Array | None, slopes: bool
    ) -> tuple[Array, Array | None]:
        xp = array_namespace(position_nm)
        fields = self.propagator.fields(position_nm, focus_nm, phase_rad, slopes)
        energies, losses = self.propagator.energy(position_nm, fields.decay)
        energy, loss = xp.sum(energies[:, :3], axis=1), xp.sum(losses[:, :3], axis=1)  # the trace of the moments
        weights = constant_like(FREE_ROTATION, position_nm)[:, None, None]
        power = xp.real(fields.values) ** 2 + xp.imag(fields.values) ** 2
        images = integrate_pixels(xp.sum(power * weights, axis=1)) / energy[:, None, None]
        if fields.slopes is None:
            return images, None
        change = 2 * xp.real(xp.conj(fields.values)[:, None] * fields.slopes)
        gradient = integrate_pixels(xp.sum(change * weights, axis=2)) / energy[:, None, None, None]
        by_z = gradient[:, 2:] - (images * (loss / energy)[:, None, None])[:, None]
        return images, xp.concat((gradient[:, :2], by_z), axis=1)
