"""The step counter as it ships: its graph's ports, card and scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card, Port
from models.bleaching.scoring import (
    FRAMES,
    PHOTONS,
    Float32,
    Predict,
    by_snr,
    calibration,
    classical_counter,
    held_out,
    network_counter,
)
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.xu_bleaching import STRIDE, StepCounter

INPUTS = (
    Port("trace", "float32", ("trace", "frame"), "any, the same for all frames of a trace; background taken off"),
)  # fmt: skip
OUTPUTS = (Port("probability", "float32", ("trace", "steps"), "1; see columns; the last stands for so many or more"),)
LEAST_FRAMES = 2 * STRIDE
TRACES, QUICK, TEMPERATURE_TRACES = 600, 200, 3000
TEMPERATURE_SEED = 93_000
"""Beyond the seeds of trainings and scores."""


class DeployedSteps(nn.Module):
    """A step counter with what the exporter asks of a graph.

    Decision: the LSTM is written as ONNX's own operator. Context: the exporter unrolls torch's for as many frames as it
    is shown. Consequence: traces of any length; in torch the module cannot be called, whoever wants that has `network`.

    Parameters
    ----------
    network : StepCounter
    temperature : float
        What logits are divided by, so that probabilities can be trusted (Guo et al., ICML 2017).
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias: Tensor

    def __init__(self, network: StepCounter, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network.eval().requires_grad_(False), temperature
        memory = network.memory
        for name in ("weight_ih", "weight_hh"):
            both = torch.stack([_onnx_gates(getattr(memory, f"{name}_l0{way}")) for way in ("", "_reverse")])
            self.register_buffer(name, both)
        bias = [[_onnx_gates(getattr(memory, f"bias_{of}_l0{way}")) for of in ("ih", "hh")] for way in ("", "_reverse")]
        self.register_buffer("bias", torch.stack([torch.cat(one) for one in bias]))

    def forward(self, trace: Tensor) -> Tensor:
        """Axes and units as in `INPUTS` and `OUTPUTS`."""
        sequence, units = self.network.sequence(trace), self.network.memory.hidden_size
        length, traces, _ = sequence.shape
        _, ends = torch.onnx.ops.symbolic_multi_out(
            "LSTM", (sequence, self.weight_ih, self.weight_hh, self.bias),
            {"hidden_size": units, "direction": "bidirectional"},
            dtypes=(torch.float32, torch.float32), shapes=((length, 2, traces, units), (2, traces, units)), version=14,
        )  # fmt: skip
        return torch.softmax(self.network.read(ends) / self.temperature, dim=1)

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free."""
        free = {0: torch.export.Dim("trace", min=1), 1: torch.export.Dim("frame", min=LEAST_FRAMES)}
        return (torch.rand(2, 20 * STRIDE) * 100,), (free,)


def _onnx_gates(weights: Tensor) -> Tensor:
    """Return weights (4 h, ...) in ONNX's order of gates (input, output, forget, cell) from torch's (i, f, g, o)."""
    into, forget, cell, out = weights.detach().chunk(4)
    return torch.cat((into, out, forget, cell))


def predictor(network: StepCounter, temperature: float) -> Predict:
    """Return the network as a function of arrays."""

    def predict(traces: Float32) -> Float32:
        with torch.no_grad():
            return np.asarray(torch.softmax(network(torch.from_numpy(traces)) / temperature, 1).numpy(), np.float32)

    return predict


def temperature_of(network: StepCounter, space: SampleSpace, count: int = TEMPERATURE_TRACES) -> float:
    """Return the temperature with the least cross entropy on traces that were not trained on."""
    with torch.no_grad():
        parts = [
            (network(torch.from_numpy(part.intensity)), torch.from_numpy(part.steps))
            for part in held_out(space, count, TEMPERATURE_SEED)
        ]
    logits, steps = (torch.cat(one) for one in zip(*parts, strict=True))
    found = minimize_scalar(
        lambda log: float(functional.cross_entropy(logits / np.exp(log), steps)), bounds=(-1, 1), method="bounded"
    )
    return round(float(np.exp(found.x)), 4)


def describe_steps(
    module: DeployedSteps, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any]
) -> Card:  # fmt: skip
    """Return the card of a step counter; `mac_per_pixel` is for each frame of a trace."""
    counter, frames = FlopCounterMode(display=False), 1000
    with counter, torch.no_grad():
        module.network(torch.zeros(1, frames))
    most = int(space.number("most_steps"))
    memory = module.network.memory
    of_memory = 2 * 4 * memory.hidden_size * (memory.hidden_size + memory.input_size) // STRIDE
    return Card(
        name=f"{recipe.system}-{recipe.size}", title=f"bleaching steps of a trace, 0 to {most}, {recipe.size}",
        inputs=INPUTS, outputs=OUTPUTS, columns=tuple(f"steps_{k}" for k in range(most + 1)), features=0, look_ahead=0,
        multiple_px=1, threshold=0.0, mac_per_pixel=int(counter.get_total_flops()) // 2 // frames + of_memory,
        sample_space=space, provenance=provenance,
    )  # fmt: skip


def scores_steps(predict: Predict, temperature: float, space: SampleSpace, count: int = TRACES) -> dict[str, Any]:
    """Return what the network scores, beside the step finder of Kalafut & Visscher, and on what."""
    counters = {"network": network_counter(predict), "kalafut_visscher": classical_counter}
    return {
        "data": f"simulated, held-out seed: {count} traces each of {FRAMES:g} frames, {PHOTONS:g} photo-electrons of a "
        "fluorophore in a frame; all numbers of steps alike; share of traces that are counted rightly, by "
        "light of one fluorophore over noise",
        "nothing_but_steps_and_noise": by_snr(counters, space, count, plain=True),
        "whole_sample_space": by_snr(counters, space, count, plain=False),
        "calibration": calibration(predict, space, 3 * count),
        "temperature": temperature,
    }


def validate_steps(network: StepCounter, space: SampleSpace) -> dict[str, float]:
    """Return a few figures of a network while it is trained."""
    found = by_snr({"network": network_counter(predictor(network, 1.0))}, space, QUICK, plain=False)["network"]
    return {f"right_at_snr_{snr}": row["right"] for snr, row in found.items()}
