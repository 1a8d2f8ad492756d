"""The network of one image learns, and takes what the phase network takes."""

from dataclasses import replace

import torch

from models.aberrations.space import SINGLE, with_objective
from models.optics.objective import Objective
from models.sample_space import Range
from models.systems import SYSTEMS
from models.systems.paine_fienup import Inception
from models.train import Trainer

SPACE = with_objective(SINGLE, Objective(sample_index=1.518)).changed(
    rms_waves=Range(0.1, 0.2), photons=Range(1e5, 1e6)
)


def test_it_learns_wavefronts() -> None:
    recipe = replace(SYSTEMS["paine-fienup"].recipe, steps=60, batch=24, patch_px=21)
    trainer = Trainer(recipe, SPACE)
    rms = [float(trainer.advance().parts["rms_waves"]) for _ in range(60)]
    assert sum(rms[-10:]) < 0.85 * sum(rms[:10])


def test_a_module_has_four_branches_of_any_width() -> None:
    assert Inception(6, 4)(torch.zeros(2, 6, 9, 9)).shape == (2, 16, 9, 9)
    x = torch.rand(1, 16, 9, 9)
    assert Inception(16, 4)(x).shape == x.shape
