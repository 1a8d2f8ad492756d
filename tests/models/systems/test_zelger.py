"""Zelger's network learns from crops behind unknown aberrations, says how sure it is, and answers each crop alone."""

from dataclasses import replace

import pytest
import torch

from models import psf
from models.aberrations.space import with_objective
from models.crops.space import crops_space
from models.optics.objective import Objective
from models.sample_space import LOCALIZER_2D, Range
from models.systems import SYSTEMS
from models.systems.zelger import ALONE, JOINTLY
from models.train import Trainer

SPACE = with_objective(crops_space(psf.default_space("astigmatic"), "zelger"), Objective()).changed(
    photons=Range(3000, 5000), background_e=Range(10, 20), em_share=0.0, z_nm=Range(-300, 300)
)


def new_trainer() -> Trainer:
    torch.set_num_threads(1)
    recipe = replace(SYSTEMS["zelger"].recipe, batch=16, learning_rate=1e-2, patch_px=16)
    return Trainer(recipe, SPACE, psf.spot("astigmatic", SPACE, Objective()), "cpu")


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    return new_trainer()


def test_it_learns_positions() -> None:
    trainer = new_trainer()
    error = [float(trainer.advance().parts["x_px"]) for _ in range(80)]
    assert sum(error[-15:]) < 0.7 * sum(error[:15])


def test_both_kinds_have_their_columns(trainer: Trainer) -> None:
    assert trainer.network.columns[:8] == JOINTLY
    assert {"sigma_z_nm", "sigma_noll_6_waves"} <= set(trainer.network.columns)
    alone = Trainer(replace(trainer.recipe, system="zelger-alone"), SPACE, trainer.spot, "cpu").network
    assert alone.columns == (*ALONE, "sigma_x_px", "sigma_y_px", "sigma_z_nm", "sigma_photons")


def test_a_crop_does_not_depend_on_the_others_and_odd_ones_are_answered_for(trainer: Trainer) -> None:
    crops = torch.rand(3, 16, 16) * torch.tensor([1.0, 100, 1000])[:, None, None]
    noise, network = torch.ones(3, 16, 16), trainer.averaged.eval()
    with torch.no_grad():
        torch.testing.assert_close(network.table(crops, noise)[:1], network.table(crops[:1], noise[:1]))
        for odd in (0 * crops, -30 - crops):
            assert torch.isfinite(network.table(odd, 0 * noise)).all()


def test_it_is_not_trained_in_focus() -> None:
    with pytest.raises(ValueError, match="zelger finds z"):
        Trainer(SYSTEMS["zelger"].recipe, LOCALIZER_2D, None, "cpu")
