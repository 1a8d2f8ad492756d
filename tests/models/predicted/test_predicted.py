"""Fields from which dense images are predicted, how they are judged, and what is trained of what."""

import numpy as np
import pytest
import torch

from models.predicted.samples import Fields, FieldSimulator, rms
from models.predicted.scoring import area_under_curve
from models.predicted.similarity import multiscale_similarity
from models.predicted.space import COARSER, PREDICTED, TILE_PX
from models.systems import SYSTEMS
from models.systems.anna_palm import AnnaPalm, Predictions, held, unexplained


@pytest.fixture(scope="module")
def fields() -> Fields:
    return FieldSimulator(PREDICTED, 2).draw(1, 0)


def test_scales_are_those_of_the_paper_and_a_step_can_be_drawn_again(fields: Fields) -> None:
    assert fields.sparse.mean((1, 2)) == pytest.approx(0, abs=1e-4)
    assert fields.sparse.std((1, 2)) == pytest.approx(1, abs=1e-4)
    for images in (fields.dense, fields.widefield):
        assert (images.min(), images.max()) == (0, 1)
    again = FieldSimulator(PREDICTED, 2).draw(1, 0)
    assert all(np.array_equal(getattr(fields, name), getattr(again, name)) for name in Fields.__slots__)


def test_widefield_is_where_the_structure_is(fields: Fields) -> None:
    side = TILE_PX // COARSER
    coarse = fields.dense.reshape(2, side, COARSER, side, COARSER).mean((2, 4))
    for one, wide in zip(coarse, fields.widefield, strict=True):
        assert np.corrcoef(one.ravel(), wide.ravel())[0, 1] > 0.3


def test_similarity_is_one_of_the_same_and_falls_with_noise(fields: Fields) -> None:
    truth, noise = torch.from_numpy(fields.dense), torch.randn(fields.dense.shape, generator=torch.manual_seed(1))
    same, little, much = (multiscale_similarity(truth + size * noise, truth) for size in (0.0, 0.05, 0.3))
    assert same.numpy() == pytest.approx(1, abs=1e-5)
    assert bool((little < same).all())
    assert bool((much < little).all())


def test_what_deceives_the_critic_does_not_move_it(fields: Fields) -> None:
    network = AnnaPalm()
    image = torch.from_numpy(fields.dense).requires_grad_()
    held(network.critic, torch.stack((image, image, image), 1)).sum().backward()
    assert image.grad is not None
    assert bool(image.grad.any())
    assert all(one.grad is None for one in network.critic.parameters())


def test_a_step_moves_all_three_networks(fields: Fields) -> None:
    subject = Predictions(SYSTEMS["anna-palm"].recipe, PREDICTED, "cpu")
    network = subject.network()
    subject.losses(network, fields).total.backward()
    assert all(one.grad is not None and bool(torch.isfinite(one.grad).all()) for one in network.parameters())


def test_error_map_knows_neither_gain_nor_offset(fields: Fields) -> None:
    network = AnnaPalm().eval()
    sparse, structure = torch.from_numpy(fields.sparse), torch.from_numpy(fields.structure)
    with torch.no_grad():
        image, error = network(sparse, torch.from_numpy(fields.widefield), structure)
        assert image.shape == sparse.shape
        assert error.numpy().shape == fields.widefield.shape
        assert 0 < rms(error.numpy()) <= 1.0001
        wide = torch.from_numpy(fields.widefield)
        assert unexplained(wide, 0.3 * wide + 0.2).numpy() == pytest.approx(0, abs=1e-6)
        left = unexplained(network.seen_wide(image), wide).numpy()
        assert left.std((1, 2)) / fields.widefield.std((1, 2)) == pytest.approx(
            [rms(one) for one in error.numpy()], rel=1e-3
        )


def test_area_under_the_curve() -> None:
    assert area_under_curve([1.0, 2.0], [3.0, 4.0]) == 1
    assert area_under_curve([1.0, 2.0], [1.0, 2.0]) == 0.5
