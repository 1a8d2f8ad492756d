"""Simulated stacks of one bead each, behind random wavefronts: what networks for aberrations learn from.

| step | in -> out | axes, unit |
|---|---|---|
| wavefront | a random direction in Noll 5 to 28, of a drawn length -> coefficients | (b, 27) waves |
| position | x, y and focus, as Noll 2 to 4 | (b, 27) waves |
| light | pupil, slices -> share of the collected light | (b, k, y, x) |
| camera | -> photo-electrons with shot and read noise | (b, k, y, x) |

The same (seed, step) gives the same stacks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.aberrations.space import objective_of
from models.aberrations.wavefront import NOLL, SHAPE, Position
from models.optics import zernike
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot
from models.sample_space import SampleSpace

Float64 = NDArray[np.float64]
BLURS = 5
"""Spots of so many different blurs take turns."""
STEEPEST = 1.5
"""Most microscopes have less of the high orders, some as much of them."""
CACHE, GPU = 16, 512
"""Slices computed at once: those that fit into a processor's cache, and what a GPU wants."""


@dataclass(frozen=True, slots=True)
class Stacks:
    """A batch of bead stacks.

    Parameters
    ----------
    counts : (b, k, y, x) float32
        Photo-electrons over the excess noise factor.
    waves : (b, 27) float32
        Noll 2 to 28; 2 to 4 are the position (`models/aberrations/wavefront.py`).
    light : (b, k, y, x) float32
        Share of the collected light, without noise.
    blur : int
        Which of the widths of `blur_nm` they have.
    """

    counts: Tensor
    waves: Tensor
    light: Tensor
    blur: int


class StackSimulator:
    """Draws stacks.

    Parameters
    ----------
    space : SampleSpace
        As `models.aberrations.space.PHASE`, with the objective's numbers.
    size_px : int
        Edge of the window; odd.
    batch : int
    modes : tuple of int
        Noll indices that a wavefront has.
    device : str
    steepest : float
        High orders are damped by their order to a power from 0 to this; 0: all modes alike.
    """

    def __init__(
        self, space: SampleSpace, size_px: int, batch: int, modes: tuple[int, ...] = SHAPE, device: str = "cpu",
        steepest: float = STEEPEST,
    ) -> None:  # fmt: skip
        self.space, self.batch, self.device, self._steepest = space, batch, device, steepest
        self.objective, blur = objective_of(space), space["blur_nm"]
        self._at_once = CACHE if device == "cpu" else GPU
        self._spots = [self._spot(float(width), size_px) for width in np.linspace(blur.low, blur.high, BLURS)]
        first, last = space.number("first_focus_nm"), space.number("last_focus_nm")
        self.focus_nm = np.linspace(first, last, int(space.number("slices")))
        self.position = Position.of(self.objective)
        self._place = [NOLL.index(j) for j in modes]
        self._order = np.array([zernike.noll_to_nm(j)[0] for j in modes], float)

    def _spot(self, blur_nm: float, size_px: int) -> VectorialSpot:
        setup = Setup(self.objective, blur_nm=blur_nm)
        return VectorialSpot(setup, self.space.number("pixel_size_nm"), size_px, self._at_once)

    def draw(self, seed: int, step: int) -> Stacks:
        """Return the batch of a step."""
        rng = np.random.default_rng((seed, step))
        settings = [self.space.sample(rng) for _ in range(self.batch)]
        column = {name: np.array([s[name] for s in settings]) for name in settings[0]}
        shift = rng.uniform(self.space["shift_nm"].low, self.space["shift_nm"].high, (self.batch, 2))
        focus = column["focus_shift_nm"]
        waves = self._wavefronts(column["rms_waves"], rng)
        waves[:, :3] = self.position.waves(shift[:, 0], shift[:, 1], focus)
        blur = int(rng.integers(BLURS))
        light = self.light(self._to(waves), self._to(focus), blur)
        generator = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        photons, background, noise = (
            self._to(column[name])[:, None, None, None] for name in ("photons", "background_e", "read_noise_e")
        )
        counts = torch.poisson(photons * light.clamp(min=0) + background, generator=generator)
        counts += noise * torch.randn(light.shape, generator=generator, device=light.device)
        return Stacks(counts, self._to(waves), light, blur)

    def _wavefronts(self, rms: Float64, rng: np.random.Generator) -> Float64:
        damping = self._order ** -rng.uniform(0, self._steepest, (len(rms), 1))
        direction = rng.normal(size=(len(rms), len(self._order))) * damping
        waves = np.zeros((len(rms), len(NOLL)))
        waves[:, self._place] = direction * (rms / np.linalg.norm(direction, axis=1))[:, None]
        return waves

    def light(self, waves: Tensor, focus_shift_nm: Tensor, blur: int = 0) -> Tensor:
        """Return the share of the collected light on each pixel, (b, k, y, x).

        Parameters
        ----------
        waves : (b, 27) float
            Noll 4 is not looked at: a high aperture's defocus is more than that.
        focus_shift_nm : (b,) float
        blur : int
            Which of the widths of `blur_nm`.
        """
        spot, k = self._spots[blur], len(self.focus_nm)
        modes = [i for i, j in enumerate(NOLL) if j != 4]
        phase = spot.propagator.zernike_phase(tuple(NOLL[i] for i in modes), waves[:, modes])
        focus = (focus_shift_nm[:, None] + self._to(self.focus_nm)).reshape(-1)
        everywhere = torch.zeros((len(focus), 3), device=self.device)
        images = spot(everywhere, Aberration(focus, phase.repeat_interleave(k, 0)))
        light: Tensor = images.reshape(len(waves), k, *images.shape[1:])
        return light

    def _to(self, values: NDArray[np.floating]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(self.device)
