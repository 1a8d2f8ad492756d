"""DeepSTORM3D and its list learn, and the first is as large as published."""

from dataclasses import replace

import pytest
import torch

from models.layers import stabilize
from models.losses import Target
from models.optics.gaussian import GaussianSpot, astigmatic
from models.recipe import Recipe
from models.sample_space import LOCALIZER_3D, Range
from models.systems import SYSTEMS
from models.systems.deep_storm_3d import SIZES, DeepStorm3d, Size, Volume, VolumesOfFrames, dice, losses
from models.systems.dilated import DilatedLocalizer
from models.train import Trainer
from models.voxels import spikes

SMALL = Size(8, 11, 2, False)


def test_accurate_is_as_large_as_published() -> None:
    """612,703 weights, and those that the read noise and the table's other columns need."""
    network = DeepStorm3d(SIZES["accurate"])
    count = sum(weights.numel() for weights in network.parameters())
    read_noise, beside = 7 * 9 * 64 + 2, (64 + 2) * 6 + 6
    assert count - read_noise - beside == 612_703


def exact() -> tuple[Volume, Target]:
    """Return two emitters in one frame, none in another, and volumes that say just that."""
    place = torch.tensor([[4.0, 5.2, 0.3], [11.0, 9.1, -0.5]])
    target = Target(torch.tensor([0, 0]), place, torch.tensor([900.0, 2000.0]), torch.full((2, 16, 16), 16.0))
    volume = Volume(
        spikes(target.sample, place, (2, 21, 64, 64)), torch.full((2, 16, 16), 7.0), torch.full((2, 3, 16, 16), 0.1),
        torch.full((2, 16, 16), 0.3), torch.full((2, 16, 16), 4.0),
    )  # fmt: skip
    return volume, target


def test_the_loss_of_the_truth_is_least() -> None:
    said, target = exact()
    best = losses(said, target).parts
    assert float(best["error"]) == pytest.approx(0, abs=1e-6)
    assert float(best["overlap"]) == pytest.approx(0, abs=1e-6)
    for other in (said.voxels.roll(1, 1), 2 * said.voxels, 0 * said.voxels):
        worse = losses(said._replace(voxels=other), target).parts
        assert worse["error"] > 1
        assert worse["overlap"] > 0.05


def test_what_is_said_too_much_costs_overlap() -> None:
    true = torch.zeros(1, 4, 8, 8)
    true[0, 2, 4, 4] = 5.0
    assert dice(true + 1, true) > dice(true, true) + 0.2


def test_likelihood_moves_no_voxels() -> None:
    said, target = exact()
    said = said._replace(voxels=said.voxels.requires_grad_(), sigma=said.sigma.clone().requires_grad_())
    losses(said, target).parts["likelihood"].backward()
    assert said.voxels.grad is None
    assert said.sigma.grad is not None
    assert (said.sigma.grad != 0).any()


def test_no_emitters_is_no_trouble() -> None:
    said, target = exact()
    none = Target(target.sample[:0], target.position[:0], target.counts[:0], target.background)
    assert torch.isfinite(losses(said, none).total)


def test_scores_are_shares_when_it_runs() -> None:
    network = DeepStorm3d(SMALL).eval()
    said = network(stabilize(torch.full((1, 12, 16), 50.0), torch.ones(12, 16)))
    assert said.voxels.shape == (1, 11, 48, 64)
    assert said.voxels.min() >= 0
    assert said.voxels.max() <= 1


def test_the_list_sees_one_frame() -> None:
    network = DilatedLocalizer(8).eval()
    frames = torch.rand(1, 3, 20, 24) * 50
    other = frames.clone()
    other[:, (0, 2)] = 0
    torch.testing.assert_close(network(frames, torch.ones(1, 20, 24)), network(other, torch.ones(1, 20, 24)))


def test_in_focus_is_refused() -> None:
    for name in ("deepstorm3d", "deepstorm3d-list"):
        with pytest.raises(ValueError, match="finds z"):
            Trainer(SYSTEMS[name].recipe, LOCALIZER_3D)


SPOT = GaussianSpot(astigmatic(130.0, 200.0, -200.0, 400.0), 100.0, 13)
SPACE = LOCALIZER_3D.changed(
    photons=Range(6000, 8000), background_e=Range(5, 6), density_per_um2=Range(0.2, 0.4), em_share=0.0,
    z_nm=Range(-400, 400), empty_share=0.0,
)  # fmt: skip


def test_volumes_learn() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    subject, network = VolumesOfFrames(Recipe(batch=2, patch_px=12), SPACE, SPOT, "cpu"), DeepStorm3d(SMALL)
    optimizer, found = torch.optim.Adam(network.parameters(), 5e-3), []
    for step in range(90):
        result = subject.losses(network, subject.draw(1, step))
        optimizer.zero_grad()
        result.total.backward()
        optimizer.step()
        found.append(float(result.parts["overlap"].detach()))
    assert sum(found[-20:]) < 0.97 * sum(found[:20])


def test_the_list_learns() -> None:
    torch.set_num_threads(1)
    trainer = Trainer(replace(SYSTEMS["deepstorm3d-list"].recipe, steps=100, batch=2, patch_px=16), SPACE, SPOT)
    found = [float(trainer.advance().parts["mixture"].detach()) for _ in range(60)]
    assert sum(found[-10:]) < 0.8 * sum(found[:10])
