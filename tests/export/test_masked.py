"""A mask learned for depth is exported as a localizer with the spots of the mask, the mask, and optics for a guard."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from export.card import Card
from export.export import export_trained
from export.subjects import subject_of
from export.trained import Trained, from_model, from_training
from models.aberrations.space import with_objective
from models.layers import OverFrames
from models.masks.file import MaskFile
from models.masks.optics import layer_of
from models.masks.space import DEPTH
from models.optics.low_rank import LowRankSpot
from models.optics.objective import Objective
from models.sample_space import Range
from models.systems import SYSTEMS
from models.train import Trainer
from stream.zoo import find

SPACE = with_objective(
    DEPTH.changed(modulator_pixels=8.0, window_px=21.0, z_nm=Range(-150, 150), modulator_design_nm=600.0), Objective()
)
"""Phases are stated at another wavelength than the molecules'."""


@pytest.fixture(scope="module", autouse=True)
def soon() -> Iterator[None]:
    """Let a mask come to its start in a few steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("models.masks.joint.FIRST_STEPS", 3)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    where = tmp_path_factory.mktemp("mask")
    chance = torch.Generator().manual_seed(3)
    trainer = Trainer(replace(SYSTEMS["deepstorm3d-mask"].recipe, batch=1, patch_px=16, steps=1), SPACE, None, "cpu")
    torch.nn.init.normal_(trainer.averaged.mask.raw, std=0.3, generator=chance)
    for weights in trainer.averaged.network.parameters():
        weights.data += 0.01 * torch.randn(weights.shape, generator=chance)
    trainer.averaged.network.head.bias.data[0] = -1.0  # an untrained one that says something
    trainer.averaged.network.head.weight.data *= 20
    trainer.save(where)
    return where


@pytest.fixture(scope="module")
def trained(folder: Path) -> Trained:
    return from_training(folder)


@pytest.fixture(scope="module")
def exported(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Card]:
    """Return file and card, without scores, which an untrained network does not have."""
    out = tmp_path_factory.mktemp("exported") / "behind.onnx"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("export.localizer_files.scores", lambda *_: {})
        patch.setattr("export.localizer_files.learned", lambda *_: None)
        return out, export_trained(trained, out)


def test_spots_are_those_behind_the_mask(folder: Path, trained: Trained) -> None:
    joint = Trainer.load(folder, "cpu").averaged
    place = torch.tensor([[30.0, -20.0, 120.0], [0.0, 45.0, -150.0]], dtype=torch.float64)
    with torch.no_grad():
        exact = layer_of(SPACE).spots(joint.mask)[0](place).numpy()
    assert trained.spot is not None
    found = np.asarray(trained.spot(place.numpy()))
    assert np.linalg.norm(found - exact) < 0.02 * np.linalg.norm(exact)


def test_the_file_is_a_localizer_with_spots_mask_and_guard(trained: Trained, exported: tuple[Path, Card]) -> None:
    assert isinstance(trained.network, OverFrames)
    out, card = exported
    assert card.name == "deepstorm3d-mask-fast"
    assert "z_nm" in card.columns
    assert trained.mask is not None
    assert MaskFile.load(out.with_suffix(".mask.npz")).phase_rad == pytest.approx(trained.mask.phase_rad)
    again = from_model(out)
    assert again.mask is not None
    assert again.spot is not None
    assert all(torch.equal(a, b) for a, b in zip(again.network.parameters(), trained.network.parameters(), strict=True))
    assert card.scores["beside_torch_float64"]["rows"] > 10
    assert card.scores["beside_torch_float64"]["only_one_has"] == 0
    subject_of(out)  # raises where the mask's optics do not give the spots


def test_a_mask_of_another_model_is_noticed(exported: tuple[Path, Card], tmp_path: Path) -> None:
    copied = {path.name: shutil.copy(path, tmp_path) for path in exported[0].parent.iterdir()}
    mask = MaskFile.load(Path(copied["behind.mask.npz"]))
    MaskFile(mask.phase_rad[::-1].copy(), mask.wavelength_nm).save(tmp_path / "behind.mask.npz")
    with pytest.raises(ValueError, match="differ by"):
        subject_of(tmp_path / "behind.onnx")


def test_what_goes_on_behind_a_mask_keeps_its_file(exported: tuple[Path, Card], tmp_path: Path) -> None:
    """A list trained for the spots of a mask is of no use without the mask, wherever that model went since."""
    out, card = exported
    model, run = tmp_path / "model", tmp_path / "run"
    shutil.copytree(out.parent, model)
    spots = model / "behind.spot.npz"
    recipe = replace(SYSTEMS["deepstorm3d-list"].recipe, psf=str(spots), batch=1, patch_px=16, steps=1)
    Trainer(recipe, card.sample_space, LowRankSpot.load(spots), "cpu").save(run)
    shutil.rmtree(model)
    held = from_training(run).mask
    assert held is not None
    assert held.phase_rad == pytest.approx(MaskFile.load(out.with_suffix(".mask.npz")).phase_rad)


def test_a_list_behind_a_mask_says_why_it_has_no_guard() -> None:
    with pytest.raises(ValueError, match="states no optics of the mask; only a model of deepstorm3d-mask has a guard"):
        subject_of(find("depth-mask-deepstorm3d-list"))
