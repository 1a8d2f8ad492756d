"""The cameras of training samples: another one for each, behind an EM register or with a noise of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.sample_space import EM_READ_NOISE_E, HOT_PIXELS, HOT_TIMES, SampleSpace

Float64 = NDArray[np.float64]
LEAST_VARIANCE = 0.01
"""In counts squared, so that no pixel in the dark has an endless derivative."""


@dataclass(frozen=True, slots=True)
class Cameras:
    """Cameras of a batch; noise in photo-electrons, the EM gain taken out.

    Parameters
    ----------
    excess : (b, 1, 1, 1) float64
        F^2: 2 behind an EM register, else 1.
    noise_e : (b, views, y, x) float64
        Standard deviation of the read noise.
    step_e : (b, 1, 1, 1) float64
        Photo-electrons of one count.
    """

    excess: Float64
    noise_e: Float64
    step_e: Float64

    @classmethod
    def draw(
        cls, space: SampleSpace, settings: Sequence[dict[str, float]], side_px: int, rng: np.random.Generator,
        views: int = 1,
    ) -> Cameras:  # fmt: skip
        """Draw for each sample a camera behind an EM register, or one with a noise of each pixel, some of it hot.

        Parameters
        ----------
        space : SampleSpace
            With the numbers em_share and hot_share.
        settings : sequence of dict
            A sample each, with read_noise_e.
        side_px : int
            Edge of the samples.
        rng : numpy.random.Generator
        views : int
            Parts of the camera that see a sample, each with its own pixels.
        """
        b = len(settings)
        noise = np.array([s["read_noise_e"] for s in settings])[:, None, None, None]
        noise = noise * np.exp(rng.normal(0, 0.15, (b, views, side_px, side_px)))
        hot = (rng.random((b, 1, 1, 1)) < space.number("hot_share")) & (
            rng.random((b, views, side_px, side_px)) < HOT_PIXELS
        )
        em = rng.random((b, 1, 1, 1)) < space.number("em_share")
        em_noise = rng.uniform(EM_READ_NOISE_E.low, EM_READ_NOISE_E.high, (b, 1, 1, 1))
        step = np.exp(rng.uniform(np.log(0.02), np.log(2), (b, 1, 1, 1)))
        return cls(np.where(em, 2.0, 1.0), np.where(em, em_noise, noise * np.where(hot, HOT_TIMES, 1)), step)

    @property
    def variance(self) -> Float64:
        """Of the read noise, (b, views, y, x), in counts (photo-electrons over F^2) squared."""
        return self.noise_e**2 / self.excess**2

    def expose(self, light: Tensor, generator: torch.Generator) -> Tensor:
        """Return photo-electrons over F^2, (b, t, y, x), of expected photo-electrons; whole counts included.

        Where light is differentiated, counts follow it: a count is mean + spread * noise with the noise held fast, as
        if it were normal (Kingma & Welling 2014; Nehme et al. 2020 for masks). Their values are those of the true laws.
        """
        counts = self._taken(light.detach(), generator)
        if not light.requires_grad:
            return counts
        mean = light / _like(self.excess, light)
        spread = torch.sqrt(mean.clamp(min=0) + _like(self.variance, light) + LEAST_VARIANCE)
        noise = ((counts - mean) / spread).detach()
        return counts + (mean - mean.detach()) + noise * (spread - spread.detach())

    def _taken(self, light: Tensor, generator: torch.Generator) -> Tensor:
        excess, noise, step = (_like(value, light) for value in (self.excess, self.noise_e, self.step_e))
        electrons = torch.poisson(light, generator=generator)
        register = torch._standard_gamma(electrons.clamp(min=1), generator=generator)
        electrons = torch.where((excess > 1) & (electrons > 0), register, electrons)
        random = torch.randn(light.shape, generator=generator, device=light.device)
        return torch.round((electrons + noise * random) / step) * step / excess


def _like(values: Float64, like: Tensor) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32)).to(like.device)
