"""The column `novelty`: which features it is of, in which form it is stored, and that it is not what else is found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto

from export import novelty
from export.evaluate import feed
from export.exported import exported
from export.localizer_files import describe
from export.novelty import learned
from export.static_graph import deployed
from export.static_rows import ROWS_PER_BLOCK
from export.tensorrt_limits import unfit
from export.to_onnx import save
from export.trained import from_model
from models.camera import Camera
from models.recipe import Recipe
from models.sample_space import LOCALIZER_2D
from models.systems.decode import Decode, Scale
from models.systems.default import DefaultLocalizer
from stream import zoo
from tests.export.traced import distance, spread, traced

CAMERA, THRESHOLD = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5), 0.7


def written(path: Path, rows: int = 0) -> None:
    card = describe(spread(2), LOCALIZER_2D, Recipe(), {"recipe": {"psf": "2d"}}, rows, novelty=True)
    save(traced(2, rows, novelty=True), card, path)


def inputs(network: DefaultLocalizer) -> list[torch.Tensor]:
    frames = (np.random.default_rng(3).poisson(20, (6, 44, 50)) * 2 + 100).astype(np.uint16)
    module = deployed(network, LOCALIZER_2D)
    return [torch.from_numpy(np.asarray(values)) for values in feed(module, frames, CAMERA, THRESHOLD)]


@pytest.mark.parametrize("rows", [0, ROWS_PER_BLOCK])
def test_it_is_of_the_features_that_the_head_reads_in_the_cell_of_the_molecule(tmp_path: Path, rows: int) -> None:
    network, read = spread(2), []
    network.head.register_forward_pre_hook(lambda _, features: read.append(features[0]))
    given = inputs(network)
    with torch.no_grad():
        frame, table, count, _ = deployed(network, LOCALIZER_2D, novelty=distance())(*given)
        pixel = torch.floor(table[:, :2]).long()
        near = (table[:, :2] - pixel - 0.5).abs().max(1).values < 0.5  # positions may lie in a neighbour's pixel
        cells = read[0].permute(0, 2, 3, 1)[frame, pixel[:, 1] // 2, pixel[:, 0] // 2]
        wanted = distance()(cells)
    agree = torch.isclose(wanted, table[:, -2], rtol=1e-5)
    assert agree[near].float().mean() > 0.5
    written(tmp_path / "model.onnx", rows)
    found = exported(tmp_path / "model.onnx", network)
    assert found.columns[-2:] == ("novelty", "probability")
    np.testing.assert_allclose(
        np.sort(found(*given)[1][:, -2].numpy()), np.sort(table[:, -2].numpy()), rtol=1e-3, atol=1e-4
    )
    assert int(count) > 20


def test_nothing_else_changes_by_a_bit(tmp_path: Path) -> None:
    network, given = spread(2), inputs(spread(2))
    written(tmp_path / "with.onnx")
    card = describe(network, LOCALIZER_2D, Recipe(), {})
    save(traced(2), card, tmp_path / "without.onnx")
    more, less = (exported(tmp_path / f"{name}.onnx", network)(*given) for name in ("with", "without"))
    np.testing.assert_array_equal(np.delete(more[1].numpy(), -2, axis=1), less[1])
    for one, other in zip((more[0], *more[2:]), (less[0], *less[2:]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_in_a_file_of_float16_it_is_in_float32() -> None:
    model = traced(2, ROWS_PER_BLOCK, novelty=True, half=True)
    kept = {tensor.name: tensor.data_type for tensor in model.graph.initializer if "novelty" in tensor.name}
    assert kept == {"novelty.mean": TensorProto.FLOAT, "novelty.whitening": TensorProto.FLOAT}
    assert unfit(model) == []


def test_it_comes_back_out_of_a_file_and_may_be_missing(tmp_path: Path) -> None:
    written(tmp_path / "model.onnx")
    found = from_model(tmp_path / "model.onnx").distance
    assert found is not None
    for name, values in distance().state_dict().items():
        np.testing.assert_array_equal(found.state_dict()[name], values)


def test_statistics_are_always_the_same_and_matched_data_is_at_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(novelty, "LOCALIZATIONS", 1500)
    trained = from_model(zoo.find("2d-fast"))
    one, other = learned(trained), learned(trained)
    assert one is not None
    for name, values in one.state_dict().items():
        np.testing.assert_array_equal(other.state_dict()[name], values)
    again = novelty._features(trained.network, novelty_samples(trained))
    assert 0.6 < float(one(again).mean()) < 1.6


def novelty_samples(trained):
    spots = novelty.training_spots(trained.spot, trained.space)
    return novelty.Simulator(spots, trained.space, 64, 64).draw(novelty.SEED + 1, 0)


def test_a_network_that_finds_nothing_has_none() -> None:
    trained = from_model(zoo.find("2d-fast"))
    assert learned(replace(trained, network=DefaultLocalizer(8, 2).eval())) is None


def test_features_of_decode_are_those_that_its_heads_read() -> None:
    network = Decode(Scale.of(LOCALIZER_2D)).eval()
    around = [torch.rand(2, network.channels, 8, 12) for _ in range(3)]
    with torch.no_grad():
        hidden = network.hidden(*around)
        assert hidden.shape == around[0].shape
        np.testing.assert_array_equal(network.read(hidden), network.locate(*around))


@pytest.mark.parametrize(
    "name", [n for n in zoo.shipped() if n.startswith(("2d-fast", "astigmatic-fast", "astigmatic-acc"))]
)
def test_localizers_that_ship_have_it(name: str) -> None:
    assert zoo.shipped()[name].columns[-2:] == ("novelty", "probability")
    assert from_model(zoo.find(name)).distance is not None
