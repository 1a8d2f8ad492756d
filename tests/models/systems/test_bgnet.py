"""BGnet learns to see through its molecule, and its averaged weights know the running means."""

from dataclasses import replace

import torch

from models.backgrounds.space import background_space
from models.sample_space import Range
from models.systems import SYSTEMS
from models.systems.bgnet import BGnet
from models.train import Trainer

SPACE = background_space("2d").changed(
    background_e=Range(50, 100), photons=Range(500, 2000), background_contrast=Range(0.5, 0.5), read_noise_e=Range(0, 0)
)


def test_it_learns_and_its_average_knows_the_running_means() -> None:
    trainer = Trainer(replace(SYSTEMS["bgnet"].recipe, steps=60, batch=32, patch_px=12), SPACE)
    loss = [float(trainer.advance().total.detach()) for _ in range(60)]
    assert sum(loss[-10:]) < 0.6 * sum(loss[:10])
    pairs = zip(trainer.averaged.buffers(), trainer.network.buffers(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_it_is_as_deep_as_published() -> None:
    assert [len(BGnet(side).down) for side in (12, 20, 40)] == [3, 3, 4]
    for side in (12, 20, 40):
        network = BGnet(side).eval()
        background = network(torch.full((2, side, side), 7.0))
        assert background.shape == (2, side, side)
        assert (background >= 0).all()


def test_ten_times_the_light_is_about_ten_times_the_background() -> None:
    torch.manual_seed(1)
    network = BGnet(12).eval()
    crop = torch.rand(1, 12, 12) * 10 + 20
    ratio = network(10 * crop) / network(crop)
    assert torch.allclose(ratio, torch.full_like(ratio, 10.0), rtol=0.3)
