"""How a network is trained, as plain values: what a checkpoint and a card keep, and a command repeats."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained; committed beside its weights.

    Parameters
    ----------
    system, psf, size : str
        Network; the spot it is trained for, which a phase network does not have; how large it is.
    steps, batch, patch_px, seed : int
        Optimizer steps; samples per step; edge of a sample; seed of weights and data.
    learning_rate, weight_decay, clip, ema : float
        Peak of the one-cycle schedule; AdamW's decay; limit of the gradient's norm; decay of the averaged weights.
    sample_space, start : str
        File of the sample space; folder of the training whose averaged weights it started from. Empty: the PSF's own,
        and random weights.
    """

    system: str = "default"
    psf: str = "2d"
    size: str = "fast"
    steps: int = 44_000
    batch: int = 12
    patch_px: int = 40
    seed: int = 1
    learning_rate: float = 5e-3
    weight_decay: float = 1e-3
    clip: float = 3.0
    ema: float = 0.999
    sample_space: str = ""
    start: str = ""

    @property
    def spot_name(self) -> str:
        """The spot's name, without folder and endings; empty where there is none."""
        return Path(self.psf).stem.removesuffix(".spot")

    @property
    def command(self) -> str:
        """What repeats the training, but for `--out`."""
        named = {"--psf": self.psf, "--size": self.size, "--sample-space": self.sample_space, "--from": self.start}
        options = "".join(f" {name} {value}" for name, value in named.items() if value)
        return f"livesmlm train {self.system}{options} --steps {self.steps} --seed {self.seed}"

    def rate(self, step: int) -> float:
        """Learning rate: 200 steps of warm-up, then a cosine down to 1 %."""
        warm = min(1.0, (step + 1) / 200)
        return self.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / self.steps)))
