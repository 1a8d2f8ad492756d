"""The phase network learns, and does not look at what it must not depend on."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from models.aberrations.space import PHASE, with_objective
from models.optics.objective import Objective
from models.sample_space import Range
from models.systems import SYSTEMS
from models.systems.moeckl_phase import BY_IMAGES, PhaseNetwork, comparable
from models.systems.wavefronts import Wavefronts
from models.train import Trainer

SPACE = with_objective(PHASE, Objective(sample_index=1.518)).changed(
    rms_waves=Range(0.05, 0.15), photons=Range(1e5, 1e5), slices=3.0
)


@pytest.mark.parametrize("system", ["moeckl-phase", "moeckl-phase-images"])
def test_it_learns_wavefronts(system: str) -> None:
    recipe = replace(SYSTEMS[system].recipe, steps=60, batch=16, patch_px=21)
    trainer = Trainer(recipe, SPACE)
    rms = [float(trainer.advance().parts["rms_waves"]) for _ in range(60)]
    assert sum(rms[-10:]) < 0.75 * sum(rms[:10])


def test_what_it_sees_hardly_depends_on_exposure_and_level() -> None:
    generator = torch.Generator().manual_seed(1)
    light = torch.rand((1, 3, 21, 21), generator=generator) * 1e4
    light[..., 0, :] = light[..., -1, :] = light[..., :, 0] = light[..., :, -1] = 0
    seen, brighter = comparable(light), comparable(10 * light + 5)
    assert torch.allclose(seen[:, :-1], brighter[:, :-1], atol=0.05)
    assert brighter[0, -1, 0, 0] > seen[0, -1, 0, 0]


def test_negative_counts_and_darkness_are_no_trouble() -> None:
    network = PhaseNetwork(3, 21, 8)
    for stack in (torch.zeros(1, 3, 21, 21), -50 * torch.ones(2, 3, 21, 21)):
        assert torch.isfinite(network(stack)).all()


def test_images_of_the_truth_are_no_distance_away_and_others_are() -> None:
    recipe = replace(SYSTEMS["moeckl-phase-images"].recipe, batch=4, patch_px=21)
    loss = Wavefronts(BY_IMAGES, recipe, SPACE, "cpu")
    samples = loss.draw(1, 1)
    exact, off = (float(loss.losses(Says(samples.waves + error), samples).total) for error in (0.0, 0.02))
    assert exact < 1e-4 * off


def test_a_signal_comes_through_all_layers() -> None:
    torch.manual_seed(1)
    network = PhaseNetwork(3, 41, 32)
    light = torch.poisson(torch.rand((8, 3, 41, 41)) * 1000)
    seen = network.body(comparable(light)).detach()
    assert 0.1 < float(seen.std() / comparable(light).std()) < 10


class Says(nn.Module):
    """Always the same answer."""

    def __init__(self, waves: Tensor) -> None:
        super().__init__()
        self.waves = waves

    def forward(self, _counts: Tensor) -> Tensor:
        return self.waves
