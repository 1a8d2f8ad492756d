"""The image of a freely rotating dipole in a layered sample, through an objective with any pupil.

    h = (2 |G_A|^2 + 2 |G_Bc|^2 + 2 |G_Bs|^2 + |G_Cc|^2 + |G_Cs|^2) / energy, integrated over each pixel

Photons are those that the objective collects: an infinite window sums to 1, less what a mask absorbs.
Sources: Stallinga & Rieger, Opt. Express 18 (2010); `models/optics/propagator.py` for the fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf

from array_api_compat import array_namespace

from models.optics.arrays import Array, constant_like
from models.optics.propagator import Fields, Propagator, Setup
from models.optics.pupil import FREE_ROTATION
from models.optics.spot import Limits
from models.optics.transform import filter_pixels, spread_pixels

Slopes = Callable[[Fields, Array, Array, Array], list[Array]]
"""Fields, energy (n,), its derivative by z, images (n, y, x) -> derivatives of the images, each (n, y, x)."""


@dataclass(frozen=True, slots=True)
class Aberration:
    """What differs from emitter to emitter besides its position.

    Parameters
    ----------
    focus_nm : (n,) float or None
        Added to the setup's focus: the slices of a bead stack.
    phase_rad : (n, N, N) float or complex, or None
        Added to the pupil's phase; `Propagator.zernike_phase` makes it. The imaginary part absorbs.
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
        self._taps = setup.taps(pixel_size_nm)
        self.propagator = Propagator(setup, size_px + len(self._taps) - 1, pixel_size_nm)

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
        images = [self._image(fields, energy) for fields, energy, _ in self._fields(position_nm, aberration)]
        return array_namespace(position_nm).concat(images)

    def with_gradient(self, position_nm: Array, aberration: Aberration | None = None) -> tuple[Array, Array]:
        """Return the images (n, y, x) and their derivatives by x, y and z per nm, (n, 3, y, x)."""
        return self._with_slopes(position_nm, aberration, self._by_position)

    def with_phase_gradient(self, position_nm: Array, aberration: Aberration, basis: Array) -> tuple[Array, Array]:
        """Return the images (n, y, x) and their derivatives by coefficients of the pupil's phase, (n, m, y, x).

        Parameters
        ----------
        position_nm : (n, 3) float
        aberration : Aberration
        basis : (m, N, N) float
            What one unit of each coefficient adds to the phase, in rad.
        """
        return self._with_slopes(position_nm, aberration, lambda *of: self._by_phase(basis, *of))

    def with_all_gradients(self, position_nm: Array, aberration: Aberration, basis: Array) -> tuple[Array, Array]:
        """Return the images (n, y, x) and their derivatives by x, y, z and the coefficients, (n, 3 + m, y, x)."""
        return self._with_slopes(
            position_nm, aberration, lambda *of: [*self._by_position(*of), *self._by_phase(basis, *of)]
        )

    def _with_slopes(self, position_nm: Array, aberration: Aberration | None, slopes: Slopes) -> tuple[Array, Array]:
        xp, images, gradients = array_namespace(position_nm), [], []
        for fields, energy, loss in self._fields(position_nm, aberration):
            image = self._image(fields, energy)
            images.append(image)
            gradients.append(xp.stack(slopes(fields, energy, loss, image), axis=1))
        return xp.concat(images), xp.concat(gradients)

    def pull_back(
        self, position_nm: Array, aberration: Aberration, respond: Callable[[Array, slice], Array]
    ) -> tuple[Array, Array]:
        """Return how a number that depends on the images changes with each cell of the pupil, for all cells at once.

        Parameters
        ----------
        position_nm : (n, 3) float
        aberration : Aberration
        respond : function of (m, y, x), slice to (m, y, x)
            Gets some of the images and which they are; returns the number's derivative by each pixel of them.

        Returns
        -------
        (n, N, N), (n, N, N) float
            By each cell's phase in rad, and by the logarithm of its amplitude.
        """
        xp, at, parts = array_namespace(position_nm), 0, []
        for fields, energy, _ in self._fields(position_nm, aberration):
            image = self._image(fields, energy)
            points = spread_pixels(respond(image, slice(at, at + len(image))) / energy[:, None, None], self._taps)
            weights = constant_like(2 * FREE_ROTATION, energy)[:, None, None]
            parts.append(fields.by_cells(weights * points[:, None] * fields.values))
            at += len(image)
        by_phase, by_amplitude = zip(*parts, strict=True)
        return xp.concat(by_phase), xp.concat(by_amplitude)

    def _by_position(self, fields: Fields, energy: Array, loss: Array, image: Array) -> list[Array]:
        by_x, by_y, by_z = (self._change(fields, slope, energy) for slope in fields.by_position())
        return [by_x, by_y, by_z - image * (loss / energy)[:, None, None]]

    def _by_phase(self, basis: Array, fields: Fields, energy: Array, loss: Array, image: Array) -> list[Array]:
        return [self._change(fields, slope, energy) for slope in fields.by_phase(basis)]

    def _fields(self, position_nm: Array, aberration: Aberration | None) -> Iterator[tuple[Fields, Array, Array]]:
        """Yield fields, energy (n,) and its derivative by z, a batch at a time; at least one batch, be it empty."""
        a, xp = aberration or Aberration(), array_namespace(position_nm)
        focus = 0 * position_nm[:, 0] if a.focus_nm is None else a.focus_nm
        for at in range(0, max(len(position_nm), 1), self.batch):
            cut = slice(at, at + self.batch)
            phase = None if a.phase_rad is None else a.phase_rad[cut]
            fields = self.propagator.fields(position_nm[cut], focus[cut], phase)
            energies, losses = self.propagator.energy(position_nm[cut], fields.decay)
            yield fields, xp.sum(energies[:, :3], axis=1), xp.sum(losses[:, :3], axis=1)  # the trace of the moments

    def _image(self, fields: Fields, energy: Array) -> Array:
        xp = array_namespace(energy)
        return self._collect(xp.real(fields.values) ** 2 + xp.imag(fields.values) ** 2, energy)

    def _change(self, fields: Fields, slope: Array, energy: Array) -> Array:
        return self._collect(2 * array_namespace(energy).real(fields.values.conj() * slope), energy)

    def _collect(self, power: Array, energy: Array) -> Array:
        """Average over orientations, integrate over pixels: (n, 5, y, x) of points -> (n, y, x)."""
        weights = constant_like(FREE_ROTATION, energy)[:, None, None]
        points = array_namespace(energy).sum(power * weights, axis=1)
        return filter_pixels(points, self._taps) / energy[:, None, None]
