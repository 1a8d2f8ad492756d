"""The camera in torch: pictures for training are made where the network is, on the CPU or a GPU."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from models.camera import Camera, FloatMap
from models.optics.arrays import constant_like


def expose(camera: Camera, photons: Tensor, generator: torch.Generator) -> Tensor:
    """Take a picture, as `Camera.expose` does.

    Parameters
    ----------
    camera : Camera
    photons : (..., y, x) float32 or float64
        Expected photons per pixel.
    generator : torch.Generator
        On the device of `photons`.

    Returns
    -------
    (..., y, x), dtype and device of photons
        Whole ADU; kept as floating point, since torch computes little with uint16.
    """
    spurious = _like(camera.spurious_e, photons)
    electrons = torch.poisson(photons * camera.quantum_efficiency + spurious, generator=generator)
    if camera.em_gain > 1:
        # torch.distributions.Gamma takes no generator; this is the draw underneath it. Its shape must be above 0.
        register = torch._standard_gamma(electrons.clamp(min=1), generator=generator) * camera.em_gain
        electrons = torch.where(electrons > 0, register, 0 * register)
    electrons = electrons.clamp(max=camera.full_well_e) - camera.em_gain * spurious
    noise = torch.randn(electrons.shape, generator=generator, dtype=electrons.dtype, device=electrons.device)
    electrons = electrons + noise * _like(camera.read_noise_e, photons)
    adu = torch.round(electrons * _like(camera.gain_adu_per_e, photons) + _like(camera.offset_adu, photons))
    return adu.clamp(0, 2**camera.bit_depth - 1)


def photo_electrons(camera: Camera, adu: Tensor) -> Tensor:
    """Return (..., y, x) photo-electrons of (..., y, x) floating-point ADU, as `Camera.photo_electrons` does."""
    return (adu - _like(camera.offset_adu, adu)) / _like(camera.adu_per_photo_electron, adu)


def _like(value: float | FloatMap, like: Tensor) -> Tensor:
    constant: Tensor = constant_like(np.asarray(value), like)
    return constant
