"""Spots of dyes are those of their light; crops hold their colours; the likeliest fit tells them; networks learn to."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.aberrations.space import objective_of, with_objective
from models.colours.dyes import Dye, dyes_of, with_dyes
from models.colours.exact_spot import exact_spot
from models.colours.likelihood import likeliest
from models.colours.samples import ColourSimulator
from models.colours.scoring import colours_held_out, scores_of_colours
from models.colours.space import COLOURS
from models.colours.spots import dye_spots
from models.optics.low_rank import LowRankSpot
from models.optics.objective import Objective
from models.sample_space import Range
from models.systems import SYSTEMS
from models.train import Trainer

SIDE = 12
SPACE = with_objective(
    with_dyes(COLOURS, [Dye(500, 0.0), Dye(720, 0.0)]).changed(
        z_nm=Range(-100, 100), photons=Range(3000, 6000), background_e=Range(5, 10), em_share=0.0
    ),
    Objective(),
)


@pytest.fixture(scope="module")
def spots() -> tuple[LowRankSpot, ...]:
    return dye_spots(SPACE, SIDE)


def test_quick_spots_are_exact_and_longer_light_is_wider(spots: tuple[LowRankSpot, ...]) -> None:
    place = np.array([[20.0, -30, 40], [0, 0, 0], [-45, 10, -90]])
    exact = exact_spot(dyes_of(SPACE)[0], objective_of(SPACE), 100, spots[0].size_px, 150)(place)
    assert np.linalg.norm(spots[0](place) - exact) < 2e-3 * np.linalg.norm(exact)
    peaks = [float(np.asarray(spot(place[1:2])).max()) for spot in spots]
    assert peaks[0] > 1.3 * peaks[1]
    assert dye_spots(SPACE, SIDE)[0] is spots[0], "they are computed once"


def test_light_of_a_dye_is_the_mean_over_its_spectrum() -> None:
    objective, dye, place = Objective(), Dye(600, 20, zernike_waves={11: 0.05}), np.array([[10.0, 20, 200]])
    three = np.asarray(exact_spot(dye, objective, 100, SIDE + 1, 300)(place))
    wavelengths, weights = np.polynomial.hermite_e.hermegauss(7)
    many = sum(
        weight / weights.sum() * np.asarray(
            exact_spot(
                Dye(600 + 20 * w, 0, zernike_waves={11: 0.05 * 600 / (600 + 20 * w)}), objective, 100, SIDE + 1, 300
            )(place)
        )
        for w, weight in zip(wavelengths, weights, strict=True)
    )  # fmt: skip
    assert np.linalg.norm(three - many) < 1e-3 * np.linalg.norm(many)


def test_crops_of_every_colour_come_in_each_batch(spots: tuple[LowRankSpot, ...]) -> None:
    simulator = ColourSimulator(spots, SPACE, 7, SIDE)
    (crops, channel), again, other = simulator.draw(3, 5), simulator.draw(3, 5), simulator.draw(3, 6)
    assert channel.tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert torch.equal(crops.counts, again.crops.counts)
    assert not torch.equal(crops.counts, other.crops.counts)
    assert crops.truth.shape == (7, 5)


def test_who_knows_the_spots_tells_colours_and_knows_how_surely(spots: tuple[LowRankSpot, ...]) -> None:
    best = likeliest(spots, SIDE)
    bright, dim = (scores_of_colours(best, colours_held_out(spots, SPACE, SIDE, n, 60)) for n in (3000, 150))
    assert bright["accuracy"] > 0.97
    assert bright["stated"] == pytest.approx(bright["accuracy"], abs=0.04)
    assert dim["accuracy"] < bright["accuracy"]
    assert [one["z_nm"] for one in bright["by_z"]] == pytest.approx([-80, -40, 0, 40, 80])
    assert len(bright["z_nm"]) == 2


@pytest.mark.parametrize(("system", "steps"), [("kim", 30), ("hershko-colour", 60)])
def test_networks_learn_colours(system: str, steps: int) -> None:
    torch.set_num_threads(1)
    recipe = replace(SYSTEMS[system].recipe, batch=16, patch_px=SIDE, learning_rate=3e-3)
    trainer = Trainer(recipe, SPACE, None, "cpu")
    right = [float(trainer.advance().parts["accuracy"]) for _ in range(steps)]
    assert sum(right[-10:]) / 10 > 0.75
    crops, network = torch.rand(3, SIDE, SIDE) * torch.tensor([1.0, 100, 1000])[:, None, None], trainer.network.eval()
    with torch.no_grad():
        table = network.table(crops, torch.ones_like(crops))
        torch.testing.assert_close(network.table(crops[:1], torch.ones(1, SIDE, SIDE)), table[:1])
        assert torch.isfinite(network.table(-30 - crops, torch.zeros_like(crops))).all()
    assert network.columns == ("channel", "channel_probability", "z_nm", "sigma_z_nm")[: 4 if system == "kim" else 2]
    assert set(table[:, 0].tolist()) <= {0.0, 1.0}
    assert bool(((table[:, 1] >= 0.5) & (table[:, 1] <= 1)).all())
