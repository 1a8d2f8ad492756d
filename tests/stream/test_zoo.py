"""The models that ship: each is what its card says, and carries the same card."""

import hashlib

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from export.card import METADATA_KEY, Card
from stream import zoo
from stream.commands.parity import is_compared
from stream.errors import ModelError


@pytest.fixture(params=zoo.shipped())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_the_file_carries_the_card_beside_it(name: str) -> None:
    metadata = {entry.key: entry.value for entry in onnx.load(zoo.find(name)).metadata_props}
    assert Card.from_json(metadata[METADATA_KEY]) == zoo.shipped()[name]


def test_the_card_says_how_it_was_made_and_how_it_scored(name: str) -> None:
    card = zoo.shipped()[name]
    assert {"recipe", "command", "steps", "device", "versions"} <= card.provenance.keys()
    assert "seed" in card.provenance["recipe"]
    assert card.scores
    assert len(card.weights_sha256) == hashlib.sha256().digest_size * 2


def test_its_weights_are_numbers(name: str) -> None:
    for weights in onnx.load(zoo.find(name)).graph.initializer:
        assert np.isfinite(numpy_helper.to_array(weights).astype(float)).all()


def test_it_says_nothing_of_the_machine_it_was_made_on(name: str) -> None:
    graph = onnx.load(zoo.find(name)).graph
    assert not [part for part in (*graph.node, *graph.value_info) if part.metadata_props]


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ModelError, match="'decode': no such model or file") as error:
        zoo.find("decode")
    assert all(name in error.value.limit for name in zoo.shipped())


def test_a_system_whose_weights_ship_is_pointed_to_them() -> None:
    assert "take anna-palm-fast; or `livesmlm train anna-palm`" in str(
        zoo.none_such("anna-palm", "[prediction] model").remedy
    )
    assert "take" not in str(zoo.none_such("decode", "[model] name").remedy)


def test_only_localizers_are_compared_engine_by_engine_when_they_are_exported() -> None:
    cards = zoo.shipped()
    assert {name: is_compared(cards[name]) for name in ("2d-fast", "2d-deep-storm-light", "hershko-fast")} == {
        "2d-fast": True, "2d-deep-storm-light": False, "hershko-fast": False,
    }  # fmt: skip
