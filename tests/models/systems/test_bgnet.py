"""BGnet learns, in the sizes of the paper, and each crop is answered for by itself."""

from dataclasses import replace

import pytest
import torch

from models.backgrounds.space import background_space
from models.sample_space import LOCALIZER_2D, Range
from models.systems import SYSTEMS
from models.systems.bgnet import BgNet, border_mean
from models.train import Trainer

SPACE = background_space(LOCALIZER_2D).changed(photons=Range(3000, 3000), background_e=Range(30, 30), em_share=0.0)


def trained(steps: int) -> tuple[Trainer, list[float]]:
    torch.set_num_threads(1)
    recipe = replace(SYSTEMS["bgnet"].recipe, steps=steps, batch=10, patch_px=12, learning_rate=2e-2)
    trainer = Trainer(recipe, SPACE)
    return trainer, [float(trainer.advance().parts["background"]) for _ in range(steps)]


def test_it_learns_and_its_average_keeps_what_normalises() -> None:
    trainer, error = trained(60)
    assert sum(error[-12:]) < 0.75 * sum(error[:12])
    normalised = [buffer for name, buffer in trainer.averaged.named_buffers() if name.endswith("running_mean")]
    assert all(buffer.abs().max() > 0 for buffer in normalised)


@pytest.mark.parametrize(("side", "resolutions"), [(12, 3), (20, 3), (40, 4)])
def test_crops_of_the_paper_give_background_of_the_same_shape(side: int, resolutions: int) -> None:
    network = BgNet(side).eval()
    assert len(network.down) == resolutions
    crops = torch.rand(2, side, side) * 100
    assert network.background(crops, torch.ones_like(crops)).shape == crops.shape
    for odd in (0 * crops, -30 - crops):
        assert torch.isfinite(network.background(odd, torch.zeros_like(odd))).all()
        assert (network.background(odd, torch.zeros_like(odd)) >= 0).all()


def test_a_crop_does_not_depend_on_the_others() -> None:
    network = BgNet(12).eval()
    crops = torch.rand(3, 12, 12) * torch.tensor([1.0, 100, 1000])[:, None, None]
    alone = network(crops[:1], torch.ones(1, 12, 12))
    torch.testing.assert_close(network(crops, torch.ones(3, 12, 12))[:1], alone)


def test_the_level_is_the_mean_of_the_border() -> None:
    crop = torch.full((1, 4, 4), 6.0)
    crop[:, 1:-1, 1:-1] = 50
    assert float(border_mean(crop)) == pytest.approx(6)
