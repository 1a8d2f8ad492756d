"""Images behind a mask that is learned: those of the physics, with its derivatives; bounds and training improve."""

from dataclasses import replace
from math import pi
from pathlib import Path

import numpy as np
import pytest
import torch

from models.aberrations.space import with_objective
from models.losses import Losses
from models.masks.criterion import for_colours, for_depth, optimised
from models.masks.file import MaskFile
from models.masks.joint import Behind, MaskAndNetwork
from models.masks.layer import ImageLayer, MaskedSpots, ShownSpot
from models.masks.learned import LearnedMask
from models.masks.modulator import Modulator
from models.masks.optics import layer_of
from models.masks.separation import confusion, nearest_height, separation
from models.masks.space import COLOURS_IN_FOCUS, DEPTH
from models.optics.expected import expected
from models.optics.objective import Objective
from models.optics.phase_masks import free_form, read
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot
from models.sample_space import SampleSpace
from models.simulation import Simulator
from models.systems import SYSTEMS, deep_storm_3d_mask, hershko
from models.train import Trainer

SMALL = {"modulator_pixels": 8.0, "window_px": 13.0}
COLOURS = with_objective(COLOURS_IN_FOCUS.changed(**SMALL), Objective())
IN_DEPTH = with_objective(DEPTH.changed(**SMALL), Objective())
EMITTERS = torch.tensor([[0.0, 0.0, 0.0, 2000.0, 5.0], [30.0, -20.0, 0.0, 2000.0, 5.0]])


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let masks come to their start in a few steps."""
    monkeypatch.setattr("models.masks.joint.FIRST_STEPS", 3)


def wavy(modulator: Modulator) -> LearnedMask:
    """Return a mask with something on it."""
    mask = LearnedMask(modulator)
    torch.nn.init.normal_(mask.raw, std=0.3, generator=torch.Generator().manual_seed(3))
    return mask


def test_the_image_is_that_of_the_mask_at_the_wavelength() -> None:
    mask, objective = wavy(Modulator(pixels=8)), Objective(wavelength_nm=655)
    position = np.array([[40.0, -30.0, 100.0]])
    shown = ImageLayer([Setup(objective, pupil_samples=32)], 110, 15).spots(mask)[0]
    phase = mask.design_rad().detach().double().numpy() * 560 / 655
    exact = VectorialSpot(Setup(objective, mask=free_form(phase), pupil_samples=32), 110, 15)
    assert shown(torch.tensor(position)).detach().numpy() == pytest.approx(exact(position), abs=1e-6)


def test_phases_stay_within_the_stroke_or_two_pi() -> None:
    for wrapped, most in ((False, 6 * pi), (True, 2 * pi)):
        mask = LearnedMask(Modulator(pixels=8, wrapped=wrapped))
        mask.raw.data *= 1000
        phase = mask.design_rad()
        assert 0 <= phase.min() <= phase.max() <= most + 1e-5


def test_the_file_of_a_mask_is_one_that_the_optics_read(tmp_path: Path) -> None:
    mask = wavy(Modulator(pixels=8))
    mask.held().save(tmp_path / "a.mask.npz")
    phase = MaskFile.load(tmp_path / "a.mask.npz").phase_rad
    place = (np.arange(8) + 0.5) / 4 - 1
    shown = read(tmp_path / "a.mask.npz")(*np.meshgrid(place, place))
    assert shown == pytest.approx(np.exp(1j * phase), abs=1e-5)


def test_a_mask_finer_than_the_pupil_is_refused() -> None:
    with pytest.raises(ValueError, match="modulator_pixels = 64: at most the 32 cells"):
        ImageLayer([Setup(pupil_samples=32)], 110, 15).spots(LearnedMask(Modulator(pixels=64)))


def test_derivatives_by_the_mask_are_those_of_differences() -> None:
    layer, mask = layer_of(COLOURS), wavy(Modulator(pixels=8))
    mask.double()

    def merit() -> torch.Tensor:
        return layer.spots(mask)[1](EMITTERS[:, :3].double()).square().sum()

    merit().backward()
    step = 1e-4
    found = float(mask.raw.grad[3, 4])
    with torch.no_grad():
        mask.raw[3, 4] += step
        above = float(merit())
        mask.raw[3, 4] -= 2 * step
        assert found == pytest.approx((above - float(merit())) / 2 / step, rel=1e-4)


def test_colours_are_drawn_with_their_own_spots() -> None:
    mask = wavy(Modulator(pixels=8))
    layer = layer_of(COLOURS)
    spots = MaskedSpots(layer, mask)
    centre = 6.5 * 110
    place = torch.tensor([[centre, centre, 0.0], [centre, centre, 2.0]])
    frame = torch.arange(2)
    light = spots.light(place, torch.ones(2), frame, (2, 13, 13), np.random.default_rng(0))
    for k, colour in enumerate((0, 2)):
        assert light[k].detach() == pytest.approx(layer.spots(mask)[colour](torch.zeros(1, 3))[0].detach(), abs=1e-6)


def test_counts_follow_light_and_keep_their_values() -> None:
    mask = wavy(Modulator(pixels=8))
    simulator = Simulator(MaskedSpots(layer_of(COLOURS), mask), COLOURS, 3, 16)
    light = torch.full((3, 3, 16, 16), 50.0, requires_grad=True)
    moving = simulator.exposed(simulator.scenes(1, 5), light)
    still = simulator.exposed(simulator.scenes(1, 5), light.detach())
    assert (moving.counts.detach() == still.counts).all()
    moving.counts[:, 1].sum().backward()
    cameras = simulator.scenes(1, 5).cameras
    assert float(light.grad[:, 1].mean()) == pytest.approx(float((1 / cameras.excess).mean()), rel=0.02)


def test_equal_colours_are_not_told_apart_and_bounds_with_colours_improve() -> None:
    layer, mask = layer_of(COLOURS), wavy(Modulator(pixels=8))
    spots = layer.spots(mask)
    assert float(_apart(spots[0], spots[0], EMITTERS).max()) < 0.01
    brighter = _apart(spots[0], spots[2], EMITTERS * torch.tensor([1, 1, 1, 4, 4]))
    assert (brighter / _apart(spots[0], spots[2], EMITTERS)).numpy() == pytest.approx([2, 2], rel=1e-3)  # root of light
    before = float(confusion(spots, EMITTERS).detach())
    course = optimised(mask, for_colours(layer, EMITTERS[:1]), 4)
    assert course[-1] < course[0]
    assert float(confusion(layer.spots(mask), EMITTERS).detach()) < before


def _apart(one: ShownSpot, other: ShownSpot, emitters: torch.Tensor) -> torch.Tensor:
    mean, rival = expected(one, emitters), expected(other, emitters)
    return separation(mean[0], rival[0], rival[1]).detach()


def test_heights_that_look_alike_are_told_and_a_mask_moves_them_apart() -> None:
    emitters = torch.tensor([[0.0, 0.0, z, 3000.0, 5.0] for z in (-600.0, 0.0, 600.0)])
    layer, mask = layer_of(IN_DEPTH), LearnedMask(Modulator(8, 2 * pi, 680, wrapped=True))
    flat = LearnedMask(Modulator(8, 2 * pi, 680, wrapped=True))
    torch.nn.init.zeros_(flat.raw)

    def twins(of: LearnedMask) -> torch.Tensor:
        return nearest_height(*expected(layer.spots(of)[0], emitters), emitters[:, 2]).detach()

    assert float(twins(flat)[0]) < float(twins(mask)[0]) / 2  # above and below focus look alike behind an open pupil
    before = float(twins(mask).log().mean())
    course = optimised(mask, for_depth(layer, emitters), 6)
    assert course[-1] < course[0]
    assert float(twins(mask).log().mean()) > before
    assert len(nearest_height(*expected(layer.spots(mask)[0], emitters[:1]), emitters[:1, 2])) == 0
    shallow = torch.tensor([[0.0, 0.0, z, 3000.0, 5.0] for z in (-200.0, 200.0)])
    assert torch.isfinite(for_depth(layer, shallow)(mask))  # nothing to be mistaken, only bounds


@pytest.mark.parametrize(("system", "space"), [("hershko", COLOURS), ("deepstorm3d-mask", IN_DEPTH)])
def test_mask_and_network_learn_together_and_go_on(system: str, space: SampleSpace, tmp_path: Path) -> None:
    recipe = replace(SYSTEMS[system].recipe, batch=2, patch_px=16, steps=3)
    trainer = Trainer(recipe, space, None, "cpu")
    start = {name: weights.detach().clone() for name, weights in trainer.network.named_parameters()}
    for _ in range(2):
        assert torch.isfinite(trainer.advance().total)
    assert all((weights != start[name]).any() for name, weights in trainer.network.named_parameters())
    trainer.save(tmp_path)
    again = Trainer.load(tmp_path, "cpu")
    assert again.advance().total.item() == pytest.approx(trainer.advance().total.item(), rel=1e-5)


def test_each_system_wants_its_own_space() -> None:
    with pytest.raises(ValueError, match="states 0, 2 to 5 are needed"):
        hershko.subject(SYSTEMS["hershko"].recipe, IN_DEPTH, "cpu")
    with pytest.raises(ValueError, match="finds z: state z_nm"):
        deep_storm_3d_mask.subject(SYSTEMS["deepstorm3d-mask"].recipe, COLOURS, "cpu")


@pytest.mark.parametrize("space", [COLOURS, IN_DEPTH], ids=["colours", "depth"])
def test_bounds_lead_a_mask_whose_network_knows_nothing(space: SampleSpace) -> None:
    network = torch.nn.Linear(1, 1)
    behind = Behind(lambda: network, lambda network, samples, scenes: Losses({}, network.weight.sum() * 0), (1,))
    subject = MaskAndNetwork(behind, replace(SYSTEMS["hershko"].recipe, batch=1, patch_px=16), space, "cpu")
    joint = subject.network()
    optimizer, found = torch.optim.Adam(joint.mask.parameters(), 0.05), []
    for step in range(6):
        optimizer.zero_grad()
        result = subject.losses(joint, subject.draw(1, step))
        result.total.backward()
        optimizer.step()
        found.append(float(result.parts["bounds"]))
    assert np.isfinite(found).all()
    assert found[-1] < found[0] - 0.01
