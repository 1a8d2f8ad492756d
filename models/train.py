"""Train a network on simulated data: one seeded, resumable command.

    livesmlm train default --psf astigmatic --steps 40000 --out runs/astigmatic-fast --resume

Every step draws its own random numbers from (seed, step), so a run that was stopped and resumed sees the very data
that an uninterrupted one sees. The samples of the next step are drawn beside the work on those of this one.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from shutil import copyfile
from typing import Any

import torch
from torch import Tensor

from models.losses import Losses
from models.masks.file import MASK, mask_beside_spots
from models.optics.low_rank import SPOT, LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.build import subject
from models.systems.default import DefaultLocalizer
from models.widen import widened, with_trunk_of

Watcher = Callable[["Trainer", dict[str, float]], None]
"""Hears of the trainer and of the newest line of the log."""
LOOKS = 4
"""Steps whose samples tell how weights are taken."""
STATED = ("answers.", "head.middles")
"""Before the names of what a network is told by its sample space, and never learns."""
CHECKPOINT, LOG = "checkpoint.pt", "training.jsonl"


class Trainer:
    """State of a training: network, averaged network, optimizer and the step reached.

    Parameters
    ----------
    recipe : Recipe
    space : SampleSpace
    spot : LowRankSpot or None
        What emitters of a localizer look like in depth; None: Gaussian spots in focus, of any width.
    device : str or None
        None: CUDA where there is one, else the CPU.

    Attributes
    ----------
    before : list of str
        Commands of the trainings that this one goes on from, the first one first.
    """

    def __init__(
        self, recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None = None, device: str | None = None
    ) -> None:
        torch.manual_seed(recipe.seed)
        device = device or _fastest_device()
        self.recipe, self.space, self.spot, self.device, self.step = recipe, space, spot, device, 0
        self._subject = subject(recipe, space, spot, device)
        self.network, self.averaged = (self._subject.network().to(device) for _ in range(2))
        self.averaged.requires_grad_(False)
        self.averaged.load_state_dict(self.network.state_dict())
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), weight_decay=recipe.weight_decay, betas=(0.9, 0.99)
        )
        self.before: list[str] = []
        self._ahead = ThreadPoolExecutor(1)
        self._next: Future[Any] | None = None

    def start_from(self, folder: Path) -> None:
        """Take the averaged weights of another training; those of a narrower network are widened.

        Raises
        ------
        ValueError
            There is none in the folder, or it is none to start from; as `start_with`.
        """
        try:
            state = torch.load(folder / CHECKPOINT, map_location=self.device, weights_only=True)
            commands = [*state["before"], Recipe(**state["recipe"]).command]
            self.start_with(state["averaged"], commands, SampleSpace.from_dict(state["space"]))
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            raise ValueError(f"cannot start from {folder}: {error}") from error

    def start_with(self, weights: Mapping[str, Tensor], before: Sequence[str], space: SampleSpace) -> None:
        """Take weights, widened if need be, or those of the trunk alone, and the commands behind them, in order.

        `space` is what they learned from.

        A spot whose even aberrations have the other sign looks from above as theirs does from below: z is turned over
        if that lowers the loss.

        Raises
        ------
        RuntimeError, ValueError
            The network they are of has other layers, is wider, or says no z and this one does, or the other way round.
        """
        theirs, own = (_where(one) for one in (space, self.space))
        if theirs != own and hasattr(self.network, "dimensions"):
            raise ValueError(f"it learned molecules {theirs}, these lie {own}: name one that was trained {own}")
        joined: Mapping[str, int] = getattr(self.network, "joined", {})
        ours = self.network.state_dict()
        learned = {name: values for name, values in weights.items() if not name.startswith(STATED)}
        weights = learned | {name: values for name, values in ours.items() if name.startswith(STATED)}
        placed = widened(with_trunk_of(weights, ours), ours, joined)
        if self.spot and isinstance(self.network, DefaultLocalizer):
            placed = min((placed, self.network.turned_over(placed)), key=self._loss_of)
        self.network.load_state_dict(placed)
        self.averaged.load_state_dict(placed)
        self.before = list(before)

    @torch.no_grad()
    def _loss_of(self, weights: Mapping[str, Tensor]) -> float:
        """Return the sum of the losses on the samples of the first steps."""
        self.network.load_state_dict(weights)
        first = (self._subject.draw(self.recipe.seed, step) for step in range(LOOKS))
        return sum(float(self._subject.losses(self.network, samples).total) for samples in first)

    def advance(self) -> Losses:
        """Make one optimizer step; returns the parts of the loss."""
        recipe = self.recipe
        result = self._subject.losses(self.network, self._draw())
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.rate(self.step)
        self.optimizer.zero_grad()
        result.total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip)
        self.optimizer.step()
        self.step += 1
        self._average()
        return result

    def _draw(self) -> Any:
        """Return the samples of this step and begin with those of the next."""
        waiting = self._next or self._begin(self.step)
        samples = waiting.result()
        self._next = self._begin(self.step + 1)
        return samples

    def _begin(self, step: int) -> Future[Any]:
        return self._ahead.submit(self._subject.draw, self.recipe.seed, step)

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)
        for kept, newest in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
            kept.lerp_(newest, 1 - decay) if kept.is_floating_point() else kept.copy_(newest)

    def save(self, folder: Path) -> None:
        """Write the checkpoint and, once, the spot and the mask behind it; a crash leaves the old checkpoint."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.spot and not (folder / SPOT).exists():
            self.spot.save(folder / SPOT)
        mask = mask_beside_spots(self.recipe.psf)
        if mask and not (folder / MASK).exists():
            copyfile(mask, folder / MASK)
        state = {
            "recipe": asdict(self.recipe), "space": self.space.to_dict(), "step": self.step, "before": self.before,
            "network": self.network.state_dict(), "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }  # fmt: skip
        partial = folder / f"{CHECKPOINT}.partial"
        torch.save(state, partial)
        partial.replace(folder / CHECKPOINT)

    @classmethod
    def load(cls, folder: Path, device: str | None = None, steps: int | None = None) -> Trainer:
        """Continue from a folder; `steps` lengthens its schedule."""
        state = torch.load(folder / CHECKPOINT, map_location="cpu", weights_only=True)
        recipe = state["recipe"] | ({} if steps is None else {"steps": steps})
        spot = LowRankSpot.load(folder / SPOT) if (folder / SPOT).exists() else None
        trainer = cls(Recipe(**recipe), SampleSpace.from_dict(state["space"]), spot, device)
        trainer.network.load_state_dict(state["network"])
        trainer.averaged.load_state_dict(state["averaged"])
        trainer.optimizer.load_state_dict(state["optimizer"])
        trainer.step, trainer.before = state["step"], state["before"]
        return trainer


def _where(space: SampleSpace) -> str:
    return "in depth" if "z_nm" in space.fields else "in focus"


def _fastest_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def train(trainer: Trainer, folder: Path, watchers: Sequence[Watcher] = (), every: int = 200) -> None:
    """Run to the recipe's last step; every `every` steps log to `training.jsonl`, save, and tell the watchers."""
    folder.mkdir(parents=True, exist_ok=True)
    began, sums = time.monotonic(), Counter[str]()
    while trainer.step < trainer.recipe.steps:
        sums.update({name: float(part.detach()) for name, part in trainer.advance().parts.items()} | {"steps": 1})
        if trainer.step % every == 0 or trainer.step == trainer.recipe.steps:
            count = sums.pop("steps")
            line = {"step": trainer.step, "seconds": round(time.monotonic() - began, 1)}
            line |= {name: round(value / count, 5) for name, value in sums.items()}
            with (folder / LOG).open("a") as log:
                log.write(json.dumps(line) + "\n")
            trainer.save(folder)
            for watch in watchers:
                watch(trainer, line)
            sums.clear()
