"""What ONNX Runtime computes from the exported file is what torch computes, whatever the shape."""

from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pytest
import torch

from export.card import METADATA_KEY, Card, CardError
from export.export import describe
from export.graph import deployed
from export.to_onnx import write
from models.recipe import Recipe
from models.sample_space import LOCALIZER_2D, LOCALIZER_3D
from models.systems.default import DefaultLocalizer

CHANNELS = 8
ROWS = 900


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
        "context": rng.random((2, CHANNELS, -(-y // 4) * 2, -(-x // 4) * 2)).astype("f4"),
    }


SPACES = {2: LOCALIZER_2D, 3: LOCALIZER_3D}


@pytest.fixture(scope="module", params=[2, 3], ids=["2d", "3d"])
def network(request: pytest.FixtureRequest) -> DefaultLocalizer:
    return spread(request.param)


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


@pytest.fixture(scope="module", params=[None, ROWS], ids=["nonzero", "topk"])
def exported(request: pytest.FixtureRequest, network: DefaultLocalizer, tmp_path_factory: pytest.TempPathFactory):
    space = SPACES[network.dimensions]
    module = deployed(network, space, rows=request.param)
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    write(module, describe(network, space, Recipe(), {}), path)
    return module, path


@pytest.mark.parametrize("shape", [(1, 48, 40), (3, 64, 64), (5, 50, 46), (2, 33, 71)])
def test_onnx_runtime_agrees_with_torch(exported, shape: tuple[int, int, int]) -> None:
    module, path = exported
    feed = inputs(shape)
    frame, table, count, context = ort.InferenceSession(path).run(None, feed)
    with torch.no_grad():
        expected = [values.numpy() for values in module(*(torch.from_numpy(np.asarray(v)) for v in feed.values()))]
    assert count == expected[2] > 0
    valid, wanted = (np.column_stack((f[:count], t[:count])) for f, t in ((frame, table), expected[:2]))
    nearest = np.abs(valid[:, None, :3] - wanted[None, :, :3]).sum(2).argmin(1)
    assert len(set(nearest)) == count
    np.testing.assert_allclose(valid, wanted[nearest], rtol=5e-4, atol=5e-4)
    np.testing.assert_allclose(context, expected[3], rtol=1e-4, atol=1e-4)


def test_cached_features_give_what_all_frames_at_once_give(exported) -> None:
    _, path = exported
    session, feed = ort.InferenceSession(path), inputs((6, 48, 40))
    if session.get_outputs()[1].shape[0] == ROWS:
        pytest.skip("a fixed number of rows is shared by however many frames there are")
    whole = session.run(None, feed)
    rows, context = [], feed["context"]
    for part in (feed["frames"][:1], feed["frames"][1:4], feed["frames"][4:]):
        _, table, _, context = session.run(None, feed | {"frames": part, "context": context})
        rows.append(table)
    np.testing.assert_allclose(np.concatenate(rows), whole[1], rtol=1e-3, atol=1e-3)


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
