"""How a network is trained, as plain values: what a checkpoint and a card keep, and a command repeats."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a localizer is trained; committed beside its weights.

    Parameters
    ----------
    system, psf, size : str
        Network, what it is trained for, and how large it is.
    steps, batch, patch_px, seed : int
        Optimizer steps; samples per step; edge of a sample; seed of weights and data.
    learning_rate, weight_decay, clip, ema : float
        Peak of the one-cycle schedule; AdamW's decay; limit of the gradient's norm; decay of the averaged weights.
    start : str
        Folder of the training whose averaged weights it started from; empty for random ones.
    """

    system: str = "default"
    psf: str = "astigmatic"
    size: str = "fast"
    steps: int = 44_000
    batch: int = 12
    patch_px: int = 40
    seed: int = 1
    learning_rate: float = 5e-3
    weight_decay: float = 1e-3
    clip: float = 3.0
    ema: float = 0.999
    start: str = ""

    def rate(self, step: int) -> float:
        """Learning rate: 200 steps of warm-up, then a cosine down to 1 %."""
        warm = min(1.0, (step + 1) / 200)
        return self.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / self.steps)))
