"""Untrained localizers and their graphs; tracing takes seconds, so each is traced once."""

from __future__ import annotations

from functools import cache

import numpy as np
import onnx
import torch

from export.localizer_files import describe
from export.precision import in_half
from export.static_graph import deployed
from export.to_onnx import trace
from models.feature_distance import FeatureDistance
from models.recipe import Recipe
from models.sample_space import LOCALIZER_2D, LOCALIZER_3D
from models.systems.default import DefaultLocalizer

SPACES = {2: LOCALIZER_2D, 3: LOCALIZER_3D}
CHANNELS = 8


def inputs(shape: tuple[int, int, int], seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    _, y, x = shape
    return {
        "frames": (rng.poisson(20, shape) * 3 + 100).astype("u2"),
        "offset": rng.normal(100, 1, (y, x)).astype("f4"),
        "gain": rng.uniform(2, 4, (y, x)).astype("f4"),
        "variance": rng.uniform(0, 4, (y, x)).astype("f4"),
        "excess": np.asarray(2.0, "f4"),
        "threshold": np.asarray(0.7, "f4"),
        "context": 0.2 * rng.random((2, CHANNELS, -(-y // 4) * 2, -(-x // 4) * 2), "f4"),
    }


def spread(dimensions: int) -> DefaultLocalizer:
    """Return an untrained network whose logits are so wide that one pixel in some hundred is a detection."""
    torch.manual_seed(1)
    network = DefaultLocalizer(CHANNELS, dimensions)
    feed = {name: torch.from_numpy(np.asarray(values)) for name, values in inputs((3, 64, 64)).items()}
    last = network.head[0]
    with torch.no_grad():
        counts = (feed["frames"].float() - feed["offset"]) / feed["gain"] / 2
        logit = network.activate(network(counts[None], feed["variance"][None] / 4), 1).logit
        scale = 6 / logit.std()
        last.bias[:4] = -14 - scale * (logit.mean() - last.bias[0])
        last.weight[:4] *= scale
    return network


def distance() -> FeatureDistance:
    """Return a distance from features as `spread` may have them."""
    return FeatureDistance.of(torch.rand(500, CHANNELS, generator=torch.Generator().manual_seed(2)) - 0.3)


@cache
def traced(dimensions: int, rows: int = 0, novelty: bool = False, half: bool = False) -> onnx.ModelProto:
    """Return the graph of `spread(dimensions)`, with so many rows for each block; nobody changes it."""
    network, space = spread(dimensions), SPACES[dimensions]
    module = deployed(in_half(network) if half else network, space, rows, distance() if novelty else None)
    return trace(module, describe(network, space, Recipe(), {}, rows, novelty=novelty))
