"""smNet has the published size, counts its errors in bounds, and stays within the range of its training."""

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from models import psf
from models.aberrations.space import with_objective
from models.crops.space import crops_space
from models.optics.objective import Objective
from models.sample_space import Range
from models.systems import SYSTEMS
from models.systems.smnet import SIZES, SmNet
from models.train import Trainer

SPACE = with_objective(crops_space(psf.default_space("astigmatic"), "smnet-z"), Objective()).changed(
    photons=Range(3000, 5000), background_e=Range(10, 20), em_share=0.0
)


def trainer_of(system: str) -> Trainer:
    torch.set_num_threads(1)
    recipe = replace(SYSTEMS[system].recipe, batch=16, learning_rate=1e-2, patch_px=16)
    return Trainer(recipe, SPACE, psf.spot("astigmatic", SPACE, Objective()), "cpu")


def test_the_trunk_is_the_published_one() -> None:
    """2,679,059 parameters and 2.72 GMAC for a crop of 32 x 32, counted in the authors' code."""
    network, counter = SmNet(32, 1, SIZES["accurate"]).eval(), FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.rand(1, 32, 32), torch.zeros(1, 32, 32))
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(2_679_059, rel=2e-3)
    assert counter.get_total_flops() / 2 == pytest.approx(2.72e9, rel=5e-3)


def test_it_learns_depth() -> None:
    trainer = trainer_of("smnet-z")
    error = [float(trainer.advance().parts["z_nm"]) for _ in range(80)]
    assert sum(error[-15:]) < 0.7 * sum(error[:15])


@pytest.mark.parametrize(("system", "columns"), [("smnet-z", ("z_nm",)), ("smnet-xy", ("x_px", "y_px"))])
def test_the_loss_is_the_square_error_over_the_bound(system: str, columns: tuple[str, ...]) -> None:
    trainer = trainer_of(system)
    network = trainer.network.eval()
    crops, bound = trainer._subject.draw(1, 0)
    assert network.columns == columns
    with torch.no_grad():
        table = network.table(crops.counts, crops.variance)
        loss = float(trainer._subject.losses(network, (crops, bound)).total)
    at = network.answers.column
    assert loss == pytest.approx(float(((table - crops.truth[:, at]) / bound[:, at]).square().mean()), rel=1e-3)


def test_brightness_does_not_change_the_answer_and_none_leaves_the_range() -> None:
    network = trainer_of("smnet-z").averaged.eval()
    crops, noise = torch.rand(4, 16, 16) * 100 + 5, torch.zeros(4, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(network.table(crops, noise), network.table(20 * crops, noise), atol=0.02, rtol=1e-4)
        for odd in (0 * crops, -crops, 1e6 * crops.flip(1)):
            assert float(network.table(odd, noise).abs().max()) <= 600 + 1e-3
