"""What a system gives to the trainer: its network, the samples of each step, and what is to be minimised."""

from __future__ import annotations

from typing import Any, Protocol

from torch import nn

from models.losses import Losses


class Subject(Protocol):
    """A system that can be trained; what it draws it understands itself."""

    def network(self) -> nn.Module:
        """Return the network with random weights."""

    def draw(self, seed: int, step: int) -> Any:
        """Return the samples of a step; the same (seed, step) gives the same ones. Called from another thread."""

    def losses(self, network: Any, samples: Any) -> Losses:
        """Return the loss of the network on such samples."""
