"""Train a localizer on simulated frames: one seeded, resumable command.

    livesmlm train localizer-2d --steps 40000 --out runs/localizer-2d --resume

Every step draws its own random numbers from (seed, step), so a run that was stopped and resumed sees the very data
that an uninterrupted one sees.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.losses import Losses, Target, losses
from models.patches import Patches, sample
from models.sample_space import SampleSpace
from models.systems.localizer_2d import Localizer2D, Prediction


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a localizer is trained; committed beside its weights.

    Parameters
    ----------
    steps, batch, patch_px, seed : int
        Optimizer steps; samples per step; edge of a sample; seed of weights and data.
    learning_rate, weight_decay, clip, ema : float
        Peak of the one-cycle schedule; AdamW's decay; limit of the gradient's norm; decay of the averaged weights.
    channels : int
        Size of the network.
    """

    steps: int = 44_000
    batch: int = 12
    patch_px: int = 40
    seed: int = 1
    learning_rate: float = 5e-3
    weight_decay: float = 1e-3
    clip: float = 3.0
    ema: float = 0.999
    channels: int = 24

    def rate(self, step: int) -> float:
        """Learning rate: 200 steps of warm-up, then a cosine down to 1 %."""
        warm = min(1.0, (step + 1) / 200)
        return self.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / self.steps)))


class Trainer:
    """State of a training: network, averaged network, optimizer and the step reached."""

    def __init__(self, recipe: Recipe, space: SampleSpace, device: str = "cpu") -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.space, self.device, self.step = recipe, space, device, 0
        self.network = Localizer2D(recipe.channels).to(device)
        self.averaged = Localizer2D(recipe.channels).to(device).requires_grad_(False)
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), weight_decay=recipe.weight_decay, betas=(0.9, 0.99)
        )

    def advance(self) -> Losses:
        """Make one optimizer step; returns the parts of the loss."""
        recipe = self.recipe
        patches = sample(self.space, recipe.batch, recipe.patch_px, np.random.default_rng((recipe.seed, self.step)))
        parts = losses(*self._predict(patches))
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.rate(self.step)
        self.optimizer.zero_grad()
        parts.total().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
        self.optimizer.step()
        self.step += 1
        self._average()
        return parts

    def _predict(self, patches: Patches) -> tuple[Prediction, Target]:
        def move(values: NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(values).to(self.device)

        truth = (patches.sample, patches.x_px, patches.y_px, patches.emitter_counts, patches.background)
        target = Target(*(move(values) for values in truth))
        return self.network(move(patches.counts), move(patches.variance)), target

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)

    def save(self, path: Path) -> None:
        """Write the checkpoint so that a crash leaves the old one."""
        state = {
            "recipe": asdict(self.recipe), "space": self.space.to_dict(), "step": self.step,
            "network": self.network.state_dict(), "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }  # fmt: skip
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path, device: str = "cpu", steps: int | None = None) -> Trainer:
        """Continue from a checkpoint; `steps` lengthens its schedule."""
        state = torch.load(path, map_location=device, weights_only=True)
        recipe = state["recipe"] | ({} if steps is None else {"steps": steps})
        trainer = cls(Recipe(**recipe), SampleSpace.from_dict(state["space"]), device)
        trainer.network.load_state_dict(state["network"])
        trainer.averaged.load_state_dict(state["averaged"])
        trainer.optimizer.load_state_dict(state["optimizer"])
        trainer.step = state["step"]
        return trainer


def train(trainer: Trainer, folder: Path, report: Callable[[dict[str, float]], None], every: int = 200) -> None:
    """Run to the recipe's last step; every `every` steps report, log to `training.jsonl`, save `checkpoint.pt`."""
    folder.mkdir(parents=True, exist_ok=True)
    began, sums, count = time.monotonic(), np.zeros(4), 0
    while trainer.step < trainer.recipe.steps:
        sums += [float(part.detach()) for part in trainer.advance()]
        count += 1
        if trainer.step % every == 0 or trainer.step == trainer.recipe.steps:
            line = {"step": trainer.step, "seconds": round(time.monotonic() - began, 1)}
            line |= dict(zip(Losses._fields, (sums / count).round(5).tolist(), strict=True))
            with (folder / "training.jsonl").open("a") as log:
                log.write(json.dumps(line) + "\n")
            trainer.save(folder / "checkpoint.pt")
            report(line)
            sums, count = np.zeros(4), 0
