"""DeepLoco learns, is as large as published, and says nothing that depends on the rest of a batch."""

from dataclasses import replace

import pytest
import torch

from models.losses import Target
from models.sample_space import LOCALIZER_2D, Range
from models.systems import SYSTEMS
from models.systems.deep_loco import POINTS, SIZES, TILE_PX, DeepLoco, Points, PointsOfTiles, losses
from models.train import Trainer

SPACE = LOCALIZER_2D.changed(
    photons=Range(5000, 8000), background_e=Range(5, 6), density_per_um2=Range(0.1, 0.3), psf_sigma_px=Range(1.2, 1.4),
    em_share=0.0,
)  # fmt: skip


def test_it_learns() -> None:
    torch.set_num_threads(1)
    recipe = replace(SYSTEMS["deeploco"].recipe, steps=320, batch=4)
    trainer = Trainer(recipe, SPACE)
    distance = [float(trainer.advance().parts["distance"].detach()) for _ in range(60)]
    assert sum(distance[-10:]) < 0.8 * sum(distance[:10])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_points_begin_on_a_grid_over_the_tile(dimensions: int, size: str) -> None:
    with torch.no_grad():
        said = DeepLoco(SIZES[size], dimensions)(torch.zeros(1, 2, TILE_PX, TILE_PX))
    count, edge = (POINTS, 8) if size == "accurate" else (256, 4)
    assert said.place.shape == (1, count, dimensions)
    apart = (said.place[0, :, None, :2] - said.place[0, None, :, :2]).norm(dim=-1) + 99 * torch.eye(count)
    assert apart.min() == pytest.approx(edge, abs=0.1)
    assert said.weight.allclose(torch.tensor(0.1), atol=0.1)


def test_accurate_is_as_published() -> None:
    """The layers of the paper; in front the read noise too, behind what the table wants beside x, y, z and weight."""
    with torch.device("meta"):
        network = DeepLoco(SIZES["accurate"], 3)
    kernels = [tuple(layer.weight.shape) for layer in network.trunk if isinstance(layer, torch.nn.Conv2d)]
    assert kernels == [
        (16, 2, 5, 5), (16, 16, 5, 5), (64, 16, 2, 2), (64, 64, 3, 3), (64, 64, 3, 3), (256, 64, 2, 2),
        (256, 256, 3, 3), (256, 256, 3, 3),
    ]  # fmt: skip
    assert network.head.coarse.weight.shape == (256, 256, 4, 4)
    linear = [tuple(layer.weight.shape) for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
    assert linear == [(1024, 4096), *[(1024, 1024)] * 4, (64 * 9, 1024)]


@pytest.mark.parametrize("size", SIZES)
def test_a_tile_does_not_depend_on_the_others(size: str) -> None:
    network, tiles = DeepLoco(SIZES[size], 2).eval(), torch.rand(3, 2, TILE_PX, TILE_PX)
    with torch.no_grad():
        torch.testing.assert_close(network(tiles).weight[:1], network(tiles[:1]).weight)


def exact() -> tuple[Points, Target]:
    """Return two emitters in one tile, none in another, and points that are just there."""
    place = torch.tensor([[10.0, 20.0, 0.3], [40.0, 41.0, -0.5]])
    target = Target(torch.tensor([0, 0]), place, torch.tensor([900.0, 2000.0]), torch.full((2, 64, 64), 16.0))
    points = Points(
        torch.stack((place, place)), torch.tensor([[1.0, 1.0], [0.0, 0.0]]),
        torch.log(target.counts).expand(2, 2), torch.full((2, 2, 3), 0.1), torch.full((2, 2), 0.1),
        torch.full((2, 16, 16), 4.0),
    )  # fmt: skip
    return points, target


def test_the_loss_of_the_truth_is_least() -> None:
    points, target = exact()
    parts = losses(points, target, 6.0).parts
    assert float(parts["distance"]) == pytest.approx(0, abs=1e-5)
    assert float(parts["background"]) == 0
    moved = points._replace(place=points.place + torch.tensor([0.5, 0, 0]))
    deeper = points._replace(place=points.place + torch.tensor([0, 0, 0.1]))
    double = points._replace(weight=2 * points.weight)
    for other in (moved, deeper, double):
        assert losses(other, target, 6.0).parts["distance"] > 0.05
    dimmer = points._replace(log_counts=points.log_counts - 0.5)
    assert losses(dimmer, target, 6.0).parts["likelihood"] > parts["likelihood"]


def test_uncertainties_do_not_move_points() -> None:
    points, target = exact()
    points = points._replace(place=(points.place + 0.2).requires_grad_(), sigma=points.sigma.clone().requires_grad_())
    losses(points, target, 6.0).parts["likelihood"].backward()
    assert points.place.grad is None
    assert points.sigma.grad is not None
    assert (points.sigma.grad[0] != 0).any()


def test_no_emitters_is_no_trouble() -> None:
    points, target = exact()
    none = Target(target.sample[:0], target.position[:0], target.counts[:0], target.background)
    assert torch.isfinite(losses(points, none, 6.0).total)


def test_samples_are_tiles() -> None:
    subject = PointsOfTiles(SYSTEMS["deeploco"].recipe, SPACE, None, "cpu")
    assert subject.draw(1, 0).counts.shape[-2:] == (TILE_PX, TILE_PX)
