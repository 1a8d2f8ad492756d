"""The phase network learns, and does not look at what it must not depend on."""

from dataclasses import replace

import torch

from models.aberrations.space import PHASE, with_objective
from models.optics.objective import Objective
from models.sample_space import Range
from models.systems import SYSTEMS
from models.systems.moeckl_phase import PhaseNetwork, comparable
from models.train import Trainer

SPACE = with_objective(PHASE, Objective(sample_index=1.518)).changed(
    rms_waves=Range(0.05, 0.15), photons=Range(1e5, 1e5), slices=3.0
)


def test_it_learns_wavefronts() -> None:
    recipe = replace(SYSTEMS["moeckl-phase"].recipe, steps=60, batch=16, patch_px=21)
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
