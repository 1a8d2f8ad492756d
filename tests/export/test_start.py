"""A training starts from a model that ships, whichever side of the focus its spot is seen from."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import models
from export.trained import Trained, from_model, spot_beside, weights_in
from models.optics.gaussian import GaussianSpot, astigmatic
from models.optics.low_rank_build import low_rank
from models.recipe import Recipe
from models.sample_space import LOCALIZER_3D, Range
from models.systems import SYSTEMS
from models.systems.build import subject
from models.train import STATED, Trainer
from stream.commands.training import train_in_terminal
from stream.errors import InputError
from stream.zoo import find

HEAD = ("head.0.weight", "head.0.bias")


@pytest.fixture(scope="module")
def shipped() -> Trained:
    return from_model(Path(models.__file__).parent / "zoo" / "astigmatic-fast.onnx")


def started(shipped: Trained, focus_nm: float) -> dict[str, torch.Tensor]:
    """Start for Gaussians whose foci are so far above and below; return the weights."""
    exact = GaussianSpot(astigmatic(120, -focus_nm, focus_nm, 350), 100, 15)
    trainer = Trainer(Recipe(batch=6), LOCALIZER_3D, low_rank(exact, (-600, 600), 20, 9, reach_px=0))
    trainer.start_with(shipped.network.state_dict(), ["before"], shipped.space)
    assert trainer.before == ["before"]
    return trainer.averaged.state_dict()


def test_z_is_turned_over_for_one_sign_of_the_astigmatism(shipped: Trained) -> None:
    given = shipped.network.state_dict()
    one, other = (started(shipped, focus) for focus in (250.0, -250.0))
    assert all(
        torch.equal(weights[name], given[name]) for weights in (one, other) for name in given if name not in HEAD
    )
    same = [all(torch.equal(weights[name], given[name]) for name in HEAD) for weights in (one, other)]
    assert sorted(same) == [False, True]
    turned = (one, other)[same.index(False)]
    for name in HEAD:
        assert torch.equal(turned[name][12:16], -given[name][12:16])
        assert torch.equal(turned[name][16:], given[name][16:])


@pytest.mark.parametrize(
    "name",
    ["2d-deep-storm-light", "astigmatic-deeploco-fast", "astigmatic-zelger-fast", "kim-fast", "moeckl-phase-fast"],
)  # fmt: skip
def test_a_file_without_batch_normalisation_holds_all_that_a_training_begins_with(name: str) -> None:
    weights, card = weights_in(find(name))
    network = subject(Recipe(**card.provenance["recipe"]), card.sample_space, spot_beside(find(name)), "cpu").network()
    missing = network.load_state_dict(weights, strict=False).missing_keys
    assert all(name.startswith(STATED) for name in missing)


def test_what_is_answered_keeps_the_range_of_its_own_space() -> None:
    weights, card = weights_in(find("astigmatic-zelger-fast"))
    space = card.sample_space.changed(noll_5_waves=Range(-0.1, 0.1))
    recipe = Recipe(**card.provenance["recipe"])
    trainer = Trainer(recipe, space, spot_beside(find("astigmatic-zelger-fast")), "cpu")
    own = trainer.network.answers.reach.clone()
    trainer.start_with(weights, [], card.sample_space)
    assert torch.equal(trainer.averaged.answers.reach, own)
    assert not torch.equal(own, weights["answers.reach"])


@pytest.mark.parametrize(
    ("start", "other", "said"),
    [
        ("2d-deeploco-fast", "astigmatic-deeploco-fast", "in focus, these lie in depth"),
        ("astigmatic-deeploco-fast", "2d-deeploco-fast", "in depth, these lie in focus"),
    ],
)
def test_a_network_that_says_z_and_one_that_does_not_do_not_start_from_each_other(
    start: str, other: str, said: str, tmp_path: Path
) -> None:
    weights, card = weights_in(find(start))
    trainer, theirs = (shipped_trainer(name) for name in (other, start))
    with pytest.raises(ValueError, match=f"it learned molecules {said}"):
        trainer.start_with(weights, [], card.sample_space)
    theirs.save(tmp_path)
    with pytest.raises(ValueError, match=f"cannot start from .*it learned molecules {said}"):
        trainer.start_from(tmp_path)


def test_a_file_that_lacks_weights_names_the_folder(tmp_path: Path) -> None:
    recipe = replace(SYSTEMS["xu-bleaching"].recipe, steps=1, start="xu-bleaching-fast")
    with pytest.raises(InputError, match="not have the same layers; the folder of its training holds all"):
        train_in_terminal(recipe, tmp_path, resume=False)


def shipped_trainer(name: str) -> Trainer:
    _, card = weights_in(find(name))
    return Trainer(Recipe(**card.provenance["recipe"]), card.sample_space, spot_beside(find(name)), "cpu")
