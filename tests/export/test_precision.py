"""Other precisions: what is narrowed and what is not, how far the answers are, and that a difference is seen."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto

from export.card import Card
from export.evaluate import feed
from export.exported import exported
from export.graph import DeployedLocalizer
from export.localizer_files import describe
from export.parity import agreement
from export.precision import FIRST_EXACT, LAST_EXACT, in_eight_bits
from export.static_graph import deployed
from export.to_onnx import save
from models.camera import Camera
from models.recipe import Recipe
from models.sample_space import LOCALIZER_2D
from models.systems.default import DefaultLocalizer
from tests.export.traced import spread, traced

CAMERA, THRESHOLD = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5), 0.7


@pytest.fixture(scope="module")
def network() -> DefaultLocalizer:
    return spread(2)


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return (np.random.default_rng(3).poisson(20, (6, 44, 50)) * 2 + 100).astype(np.uint16)


def card_of(network: DefaultLocalizer) -> Card:
    return describe(network, LOCALIZER_2D, Recipe(), {})


def written(folder: Path, half: bool = False) -> Path:
    save(traced(2, half=half), card_of(spread(2)), folder / "model.onnx")
    return folder / "model.onnx"


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("exact"))


@pytest.fixture(scope="module")
def module(network: DefaultLocalizer) -> DeployedLocalizer:
    return deployed(network, LOCALIZER_2D)


def test_float32_says_what_float64_says(module, network, exact, frames) -> None:
    found = agreement(module, exported(exact, network), frames, CAMERA, THRESHOLD)
    assert found["rows"] > 20
    assert found["only_one_has"] == 0
    assert found["largest_difference"]["x_px"] < 1e-4


def test_float16_is_near_and_its_weights_are_half_as_large(module, network, frames, tmp_path) -> None:
    path = written(tmp_path, half=True)
    weights = {t.data_type for t in onnx.load(path).graph.initializer if len(t.dims) == 4}
    assert weights == {TensorProto.FLOAT16}
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    found = agreement(module, exported(path, network), frames, CAMERA, THRESHOLD)
    assert found["only_one_has"] <= 0.03 * found["rows"]
    assert found["largest_difference"]["x_px"] < 0.02
    assert found["largest_difference"]["photons"] > 1e-6  # it is seen; positions may be on the same step of their grid


def test_eight_bits_leave_both_ends_exact(module, network, exact, frames, tmp_path) -> None:
    model = onnx.load(exact)
    names = [i.name for i in model.graph.input]
    narrow = in_eight_bits(model, [dict(zip(names, feed(module, frames, CAMERA, THRESHOLD), strict=True))])
    makers = {output: node.op_type for node in narrow.graph.node for output in node.output}
    kept = [makers.get(n.input[1]) != "DequantizeLinear" for n in narrow.graph.node if n.op_type == "Conv"]
    assert kept[:FIRST_EXACT] == [True] * FIRST_EXACT
    assert kept[-LAST_EXACT:] == [True] * LAST_EXACT
    assert not any(kept[FIRST_EXACT:-LAST_EXACT])
    save(narrow, card_of(network), tmp_path / "narrow.onnx")
    found = agreement(module, exported(tmp_path / "narrow.onnx", network), frames, CAMERA, THRESHOLD)
    assert found["largest_difference"]["x_px"] > 1e-5  # it is seen


def test_a_molecule_that_only_one_finds_is_counted(module, frames) -> None:
    def poorer(*inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        frame, table, count, context = module(*inputs)
        return frame[3:], table[3:], count - 3, context

    poorer.network, poorer.columns = module.network, module.columns
    with torch.no_grad():
        found = agreement(module, poorer, frames, CAMERA, THRESHOLD)
    assert found["only_one_has"] == 3
    assert found["largest_difference"]["photons"] < 1
