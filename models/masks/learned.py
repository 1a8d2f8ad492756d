"""A mask as parameters: what each pixel of a modulator is set to, learned by gradients."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor, nn

from models.masks.file import MaskFile
from models.masks.modulator import Modulator

START = 0.02
"""Standard deviation of the parameters around their start: no symmetry keeps the gradients at zero."""


class LearnedMask(nn.Module):
    """Phase of each pixel, between 0 and the modulator's stroke, or modulo 2 pi.

    Parameters
    ----------
    modulator : Modulator
    """

    def __init__(self, modulator: Modulator) -> None:
        super().__init__()
        self.modulator = modulator
        noise = START * torch.randn(modulator.pixels, modulator.pixels)
        self.raw = nn.Parameter(noise + (_astigmatism if modulator.wrapped else _vortex)(modulator))

    def design_rad(self) -> Tensor:
        """Return the phase (pixels, pixels) in rad, axes (y, x), at the modulator's design wavelength.

        Both forms move by a quarter of the stroke for a parameter of 1; wrapped phases begin around the middle and
        may go on forever, as light does not tell 2 pi from 0 at that wavelength.
        """
        stroke = self.modulator.stroke_rad
        if self.modulator.wrapped:
            return torch.remainder(pi + self.raw * stroke / 4, 2 * pi)
        return stroke * torch.sigmoid(self.raw)

    def phase_rad(self, wavelength_nm: float) -> Tensor:
        """Return the phase (pixels, pixels) in rad at a wavelength."""
        return self.design_rad() * self.modulator.factor(wavelength_nm)

    def held(self) -> MaskFile:
        """Return the mask as it is now."""
        return MaskFile(self.design_rad().detach().cpu().numpy(), self.modulator.design_nm)


def _vortex(modulator: Modulator) -> Tensor:
    """Return the parameters of a phase that winds once by 2 pi, or by two thirds of the stroke.

    Decision: masks that use all of the stroke, as those for colours, start from a vortex. Context: a flat one is a
    local optimum, from which next to nothing is learned about colours. Consequence: spots start as rings, which another
    colour opens on one side.
    """
    place = _places(modulator)
    turn = torch.atan2(place[:, None], place[None]) / (2 * pi)  # from -1/2 to 1/2
    return torch.logit(0.5 + turn * min(2 * pi / modulator.stroke_rad, 2 / 3))


def _astigmatism(modulator: Modulator) -> Tensor:
    """Return the parameters of an astigmatism of 1 rad, root mean square, around which phases are wrapped.

    Decision: masks for depth start from it. Context: a flat one is round, and gradients keep it so: it becomes a lens
    of zones, worse than a tetrapod. Consequence: spots are symmetric about two axes unless the network wants otherwise.
    """
    place, quarter = _places(modulator), modulator.stroke_rad / 4
    return 6**0.5 * (place[None] ** 2 - place[:, None] ** 2) / quarter


def _places(modulator: Modulator) -> Tensor:
    """Return where pixels lie along the pupil's diameter, (pixels,), from -1 to 1."""
    return (torch.arange(modulator.pixels) + 0.5) * 2 / modulator.pixels - 1
