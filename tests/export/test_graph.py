"""What ONNX Runtime computes from the exported file is what torch computes, whatever the shape."""

from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pytest
import torch

from export.card import METADATA_KEY, Card, CardError
from export.exported import exported as in_onnx_runtime
from export.localizer_files import describe
from export.static_graph import deployed
from export.static_rows import ROWS_PER_BLOCK, as_bytes, as_static, filled
from export.to_onnx import save
from export.trained import from_model
from models.recipe import Recipe
from models.sample_space import LOCALIZER_2D
from models.systems.default import DefaultLocalizer
from tests.export.traced import SPACES, distance, inputs, spread, traced


@pytest.fixture(scope="module", params=[2, 3], ids=["2d", "3d"])
def network(request: pytest.FixtureRequest) -> DefaultLocalizer:
    return spread(request.param)


@pytest.fixture(scope="module", params=[0, ROWS_PER_BLOCK], ids=["nonzero", "static"])
def exported(request: pytest.FixtureRequest, network: DefaultLocalizer, tmp_path_factory: pytest.TempPathFactory):
    space = SPACES[network.dimensions]
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    card = describe(network, space, Recipe(), {}, request.param, novelty=True)
    save(traced(network.dimensions, request.param, novelty=True), card, path)
    return deployed(network, space, novelty=distance()), path


def in_order(rows: np.ndarray) -> np.ndarray:
    return rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]


def answer(run, feed: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return rows with the frame in front, in order, and the features that are handed on."""
    with torch.no_grad():
        frame, table, count, context = (
            v.numpy() for v in run(*(torch.from_numpy(np.asarray(v)) for v in feed.values()))
        )
    assert count == len(table) > 0
    return in_order(np.column_stack((frame, table))), context


@pytest.mark.parametrize("shape", [(1, 48, 40), (3, 64, 64), (5, 50, 46), (2, 33, 71), (2, 130, 65)])
def test_onnx_runtime_agrees_with_torch(exported, shape: tuple[int, int, int]) -> None:
    module, path = exported
    (found, context), (wanted, handed_on) = (
        answer(run, inputs(shape)) for run in (in_onnx_runtime(path, module.network), module)
    )
    nearest = np.abs(found[:, None, :3] - wanted[None, :, :3]).sum(2).argmin(1)
    assert len(set(nearest)) == len(found) == len(wanted)
    np.testing.assert_allclose(found, wanted[nearest], rtol=5e-4, atol=5e-4)
    np.testing.assert_allclose(context, handed_on, rtol=1e-4, atol=1e-4)


def test_cached_features_give_what_all_frames_at_once_give(exported) -> None:
    module, path = exported
    run, feed = in_onnx_runtime(path, module.network), inputs((6, 48, 40))
    whole, _ = answer(run, feed)
    found, context = [], feed["context"]
    for first, part in ((0, feed["frames"][:1]), (1, feed["frames"][1:4]), (4, feed["frames"][4:])):
        rows, context = answer(run, feed | {"frames": part, "context": context})
        rows[:, 0] += first
        found.append(rows)
    np.testing.assert_array_equal(np.concatenate(found), whole)


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> ort.InferenceSession:
    path, rows = tmp_path_factory.mktemp("static") / "model.onnx", ROWS_PER_BLOCK
    save(traced(2, rows, novelty=True), describe(spread(2), LOCALIZER_2D, Recipe(), {}, rows, novelty=True), path)
    return ort.InferenceSession(path)


def test_frames_that_fill_up_a_batch_change_nothing(static) -> None:
    feed = inputs((3, 70, 70))
    table, count, context = static.run(None, as_static(feed))
    stale = np.concatenate((feed["frames"], np.full((5, 70, 70), 60_000, "u2")))
    filled_up = as_static(feed) | {"frames": as_bytes(stale)}
    more, counts, handed_on = static.run(None, filled_up)
    np.testing.assert_array_equal(more[:3], table)
    np.testing.assert_array_equal(counts[:3], count)
    np.testing.assert_array_equal(handed_on, context)


def test_each_block_has_rows_of_its_own_and_too_few_are_noticed(static) -> None:
    everything = np.asarray(1e-6, "f4")
    table, count, _ = static.run(None, as_static(inputs((2, 70, 130)) | {"threshold": everything}))
    assert table.shape[:2] == (2, 2 * 3 * ROWS_PER_BLOCK)
    frame, rows = filled(table, everything)
    assert (np.bincount(frame) < count).all()
    blocks = rows[:, 1] // 64 * 3 + rows[:, 0] // 64
    assert set(np.bincount(blocks[frame == 0].astype(int)).tolist()) <= set(range(ROWS_PER_BLOCK + 1))
    assert (np.bincount(blocks[frame == 0].astype(int))[:2] == ROWS_PER_BLOCK).all()


def test_a_network_comes_back_out_of_its_file(tmp_path) -> None:
    network, path = spread(2), tmp_path / "model.onnx"
    card = describe(network, LOCALIZER_2D, Recipe(), {"recipe": {"psf": "2d"}})
    card = replace(card, provenance={"recipe": {"system": "default", "psf": "2d", "size": "fast"}})
    save(traced(2), card, path)
    trained = from_model(path)
    assert (trained.recipe.psf, trained.space, trained.spot) == ("2d", LOCALIZER_2D, None)
    for name, values in network.state_dict().items():
        np.testing.assert_array_equal(trained.network.state_dict()[name], values)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"precision": "int8"}, "only localizers in fp32 or fp16"),
        ({"features": 16}, "its network is of another version"),
    ],
)
def test_a_file_that_gives_no_network(tmp_path, change: dict, said: str) -> None:
    network, path = spread(2), tmp_path / "model.onnx"
    card = describe(network, LOCALIZER_2D, Recipe(), {"recipe": {"system": "default"}})
    save(traced(2), replace(card, **change), path)
    with pytest.raises(ValueError, match=said):
        from_model(path)


def test_the_card_travels_in_the_file_and_beside_it(exported) -> None:
    _, path = exported
    inside = ort.InferenceSession(path).get_modelmeta().custom_metadata_map[METADATA_KEY]
    card = Card.from_json(inside)
    assert card == Card.from_json(path.with_suffix(".json").read_text())
    assert len(card.weights_sha256) == 64
    assert card.sample_space in SPACES.values()
    assert ("z_nm" in card.columns) == ("z_nm" in card.sample_space.fields)


@pytest.mark.parametrize("text", ["", "{}", '{"format": 99}', "[1]"])
def test_what_is_not_a_card_is_refused(text: str) -> None:
    with pytest.raises(CardError):
        Card.from_json(text)


def test_a_card_with_an_unknown_field_is_refused(network: DefaultLocalizer) -> None:
    card = replace(describe(network, LOCALIZER_2D, Recipe(), {}), title="x")
    with pytest.raises(CardError):
        Card.from_json(card.to_json().replace('"title"', '"surprise"'))
