"""A model -> what its guard watches over: the optics behind its spots, found again and held against them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from export.card import Card
from export.trained import mask_beside, read_model, spot_beside
from models.guard.molecules.optics import Change, KnownOptics
from models.guard.molecules.subject import SCENE_PX, InDepth, InFocus, Subject
from models.masks.file import MASK, MaskFile
from models.masks.optics import setup_behind
from models.optics.low_rank import LowRankSpot
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.psf import BEYOND_NM, PSFS
from models.recipe import Recipe
from models.sample_space_file import read_space
from models.scenes.optics import MASKS

PUPIL = "pupil.json"
AGREE = 0.05
"""Largest difference of the spots drawn again, root mean square over that of the spots."""


def subject_of(model: Path, objective: Objective | None = None, pupil: Path | None = None) -> Subject:
    """Return what the guard of a localizer watches over.

    Parameters
    ----------
    model : Path
        Its `.onnx` file, with its spots beside it, and its mask if one was learned with it: then nothing else is used.
    objective : Objective or None
        None: that of the training's sample space.
    pupil : Path or None
        The pupil.json of a retrieval, for spots that came from beads; None: the one beside the file of spots.

    Raises
    ------
    ValueError
        It is no localizer, or it is not known what the spots were computed from, or what is known gives other spots.
    """
    _, card = read_model(model)
    if "threshold" not in [port.name for port in card.inputs]:
        raise ValueError(f"{card.title}: only localizers have a guard")
    if "channel" in card.columns:
        raise ValueError(f"{card.title}: a guard knows one spot, and here each colour has its own")
    spot = spot_beside(model)
    if spot is None:
        return InFocus()
    space = card.sample_space["z_nm"]
    if mask_beside(model) and card.provenance["recipe"].get("system") == "deepstorm3d-list":
        raise ValueError(
            f"{card.title}: its sample space states no optics of the mask; only a model of deepstorm3d-mask has a guard"
        )
    masked = card.provenance["recipe"].get("system") == "deepstorm3d-mask"
    known = _behind(mask_beside(model), card, spot) if masked else _optics(card, spot, objective, pupil)
    error = _difference(known, spot)
    if error > AGREE:
        remedy = (
            f"{model.stem}.{MASK} beside it is that of another model; put its own there"
            if masked
            else "state [optics] as they were trained, or the pupil.json that belongs to them"
        )
        raise ValueError(
            f"the spots of the model differ by {error:.0%} from those of the optics; {AGREE:.0%} at most: {remedy}"
        )
    return InDepth(known, spot, min(-space.low, space.high))


def _behind(mask: MaskFile | None, card: Card, spot: LowRankSpot) -> KnownOptics:
    if mask is None:
        raise ValueError(f"the .{MASK} that it was exported with is missing: put it there, or export it again")
    return KnownOptics(setup_behind(mask, card.sample_space), spot.pixel_size_nm, spot.z_range_nm)


def _optics(card: Card, spot: LowRankSpot, objective: Objective | None, pupil: Path | None) -> KnownOptics:
    recipe, z = Recipe(**card.provenance["recipe"]), card.sample_space["z_nm"]
    if recipe.psf in PSFS:
        space = Path(recipe.sample_space) if recipe.sample_space else None
        stated = objective or read_space(space, card.sample_space)[1]
        depth = max(abs(z.low), abs(z.high)) + BEYOND_NM
        setup = Setup(stated, {}, MASKS[PSFS[recipe.psf].mask], height_nm=depth)
        return KnownOptics(setup, spot.pixel_size_nm, spot.z_range_nm)
    file = pupil or Path(recipe.psf).with_name(PUPIL)
    return KnownOptics(_retrieved(file, objective or Objective()), spot.pixel_size_nm, spot.z_range_nm, by_stage=True)


def _retrieved(file: Path, objective: Objective) -> Setup:
    try:
        facts: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        waves = {int(j): float(value) for j, value in facts["zernike_waves"].items()}
        return Setup(objective, waves, blur_nm=float(facts["blur_nm"]))
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(f"{file} is not the pupil.json of a retrieval: {error!r}") from error


def _difference(known: KnownOptics, spot: LowRankSpot) -> float:
    """Return how much the spots drawn again differ, root mean square over that of the spots."""
    low, high = spot.z_range_nm
    z = np.linspace(low, high, 9)
    place = np.column_stack((0 * z, 0 * z, z))
    size = min(SCENE_PX, spot.size_px)
    theirs, again = (np.asarray(one(place)) for one in (spot.cropped(size, 0), known.exact(Change(), size)))
    return float(np.linalg.norm(again - theirs) / np.linalg.norm(theirs))
