"""A training starts from a model that ships, whichever side of the focus its spot is seen from."""

from pathlib import Path

import pytest
import torch

import models
from export.trained import Trained, from_model
from models.optics.gaussian import GaussianSpot, astigmatic
from models.optics.low_rank_build import low_rank
from models.recipe import Recipe
from models.sample_space import LOCALIZER_3D
from models.train import Trainer

HEAD = ("head.0.weight", "head.0.bias")


@pytest.fixture(scope="module")
def shipped() -> Trained:
    return from_model(Path(models.__file__).parent / "zoo" / "astigmatic-fast.onnx")


def started(shipped: Trained, focus_nm: float) -> dict[str, torch.Tensor]:
    """Start for Gaussians whose foci are so far above and below; return the weights."""
    exact = GaussianSpot(astigmatic(120, -focus_nm, focus_nm, 350), 100, 15)
    trainer = Trainer(Recipe(batch=6), LOCALIZER_3D, low_rank(exact, (-600, 600), 20, 9, reach_px=0))
    trainer.start_with(shipped.network.state_dict(), ["before"])
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
