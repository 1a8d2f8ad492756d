"""The networks of orientations and of aberrations: their size, and that the file says what torch says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from export.crops import describe_crops, parity_crops
from export.deployed_crops import DeployedCrops
from export.to_onnx import save, trace
from models.aberrations.space import with_objective
from models.crops.answers import Answers
from models.crops.space import OWN
from models.optics.objective import Objective
from models.systems import SYSTEMS
from models.systems.build import subject
from models.systems.reading import Reader
from models.systems.smnet import ABERRATIONS, SIZES, SmNetAberrations
from stream.crops import localizes_in_crops, sees_two_planes


def space_of(system: str):
    return with_objective(OWN[system], Objective())


def reader_of(system: str) -> Reader:
    torch.manual_seed(1)
    if system == "smnet-aberrations":
        answers = Answers(space_of(system), ABERRATIONS.names)
        return Reader(SmNetAberrations(16, 42, SIZES["fast"]), answers, spread=True).eval()
    made = subject(SYSTEMS[system].recipe, space_of(system), None, "cpu").network()
    assert isinstance(made, Reader)
    return made.eval()


def test_the_trunk_for_aberrations_is_the_published_one() -> None:
    """34.2 million parameters and 0.244 GMAC for a crop of 16 x 16 in two planes, counted in the authors' code."""
    network, counter = SmNetAberrations(16, 21, SIZES["accurate"]).eval(), FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network.layers(torch.rand(1, 2, 16, 16))
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(34.2e6, rel=5e-3)
    assert counter.get_total_flops() / 2 == pytest.approx(0.244e9, rel=5e-3)


@pytest.mark.parametrize("system", list(OWN))
def test_the_file_says_what_torch_says(system: str, tmp_path: Path) -> None:
    reader, recipe, space = reader_of(system), SYSTEMS[system].recipe, space_of(system)
    module = DeployedCrops(reader, recipe.patch_px)
    card = describe_crops(module, space, recipe, {"recipe": {}})
    save(trace(module, card), card, tmp_path / "m.onnx")
    crops = parity_crops(recipe, space, None, 4)
    apart = module.beside_torch(tmp_path / "m.onnx", crops.counts, crops.variance)
    assert list(apart) == list(card.columns)
    assert max(apart.values()) < 0.05
    assert localizes_in_crops(card)
    assert sees_two_planes(card) == (system == "smnet-aberrations")
    assert card.name == f"{system}-fast"


def test_orientation_learns_from_its_loss() -> None:
    torch.set_num_threads(1)
    made = subject(replace(SYSTEMS["smnet-orientation"].recipe, batch=16), space_of("smnet-orientation"), None, "cpu")
    samples, network = made.draw(1, 0), made.network()
    assert isinstance(network, nn.Module)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    losses = []
    for _ in range(25):
        found = made.losses(network, samples)
        optimizer.zero_grad()
        found.total.backward()
        optimizer.step()
        losses.append(float(found.total.detach()))
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.5 * losses[0]
    assert 0 < float(found.parts["degrees"]) <= 90
