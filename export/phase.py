"""The phase network as it ships: its graph's ports, card and scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card, Port
from models.aberrations.scoring import BACKGROUND_E, PHOTONS, Predict, by_rms
from models.aberrations.wavefront import NOLL
from models.recipe import Recipe
from models.sample_space import SampleSpace

INPUTS = (Port("stack", "float32", ("bead", "slice", "y", "x"), "photo-electrons over the excess noise factor F**2"),)
OUTPUTS = (Port("waves", "float32", ("bead", "mode"), "waves; see columns; Noll 2 to 4 are x, y and focus"),)
STACKS, QUICK = 96, 32


class DeployedPhase(nn.Module):
    """A phase network with what the exporter asks of a graph.

    Parameters
    ----------
    network : nn.Module
    slices, size_px : int
    """

    def __init__(self, network: nn.Module, slices: int, size_px: int) -> None:
        super().__init__()
        self.network, self.slices, self.size_px = network, slices, size_px

    def forward(self, stack: Tensor) -> Tensor:
        """Axes and units as in `INPUTS` and `OUTPUTS`."""
        waves: Tensor = self.network(stack)
        return waves

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free."""
        stack = torch.rand(2, self.slices, self.size_px, self.size_px) * 100
        return (stack,), ({0: torch.export.Dim("bead", min=1)},)


def deployed_phase(network: nn.Module, space: SampleSpace, recipe: Recipe) -> DeployedPhase:
    """Return the graph of a network that was trained on this sample space."""
    return DeployedPhase(network, int(space.number("slices")), recipe.patch_px)


def predictor(network: nn.Module) -> Predict:
    """Return the network as a function of arrays."""

    def predict(stacks: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return np.asarray(network(torch.from_numpy(stacks)).numpy())

    return predict


def describe_phase(module: DeployedPhase, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any]) -> Card:
    """Return the card of a phase network."""
    counter, (example, _) = FlopCounterMode(display=False), module.example()
    with counter, torch.no_grad():
        module(*example)
    pixels = example[0].numel()
    return Card(
        name=f"{recipe.system}-{recipe.size}", title=f"wavefront from {module.slices} slices of a bead, {recipe.size}",
        inputs=INPUTS, outputs=OUTPUTS, columns=tuple(f"noll_{j}_waves" for j in NOLL), features=0, look_ahead=0,
        multiple_px=recipe.patch_px, threshold=0.0, mac_per_pixel=int(counter.get_total_flops()) // 2 // pixels,
        sample_space=space, provenance=provenance,
    )  # fmt: skip


def scores_phase(module: DeployedPhase, space: SampleSpace, recipe: Recipe) -> dict[str, Any]:
    """Return what the network scores, and on what."""
    return {
        "data": f"simulated, held-out seed: point emitters, {PHOTONS:.0f} photons a slice, {BACKGROUND_E:g} of "
        "background per pixel; median over stacks of the wavefront's root mean square error, position included, no fit",
        "error_waves_by_rms_waves": by_rms(predictor(module), space, recipe.patch_px, STACKS),
    }


def validate_phase(network: nn.Module, space: SampleSpace, recipe: Recipe) -> dict[str, float]:
    """Return a few figures of a network while it is trained."""
    figures = by_rms(predictor(network), space, recipe.patch_px, QUICK)
    return {f"error_waves_at_{rms}": value for rms, value in figures.items()}
