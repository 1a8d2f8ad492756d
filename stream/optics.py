"""`[optics]` and `[phase]` of rig.toml -> what the physics calls them."""

from __future__ import annotations

import json
from pathlib import Path

from export.card import Card
from models.optics.objective import Objective
from models.psf import BEYOND_NM
from stream.config import BeadsSettings, OpticsSettings, Rig
from stream.errors import RigError
from stream.stages.phase_process import Task

LIGHT_NM, SPREAD = 500.0, 0.9
"""Half of the window of a molecule in focus, and how much of its z it grows by."""
MARGIN_PX = 10
"""The spots of a refiner reach this much beyond the window."""


def objective(optics: OpticsSettings) -> Objective:
    """Return the objective of a rig."""
    return Objective(
        numerical_aperture=optics.numerical_aperture, immersion_index=optics.immersion_index,
        coverslip_index=optics.immersion_index, sample_index=optics.sample_index, wavelength_nm=optics.wavelength_nm,
    )  # fmt: skip


def phase_task(rig: Rig, card: Card) -> Task:
    """Return what the slow lane starts from.

    Parameters
    ----------
    rig : Rig
        With `[phase] mode` other than off.
    card : Card
        Of the localizer.

    Raises
    ------
    RigError
        The localizer finds no z, nothing is stated that tells above from below the focus or which way the stage moves,
        or the pupil's file cannot be read.
    """
    settings, pixel = rig.phase, rig.camera.pixel_size_nm
    if "z_nm" not in card.columns:
        raise RigError(
            f'[phase] mode = "{settings.mode}", but model {card.name!r} finds no z',
            limit="the pupil is seen in how molecules look above and below the focus",
            remedy='take a model in depth (`livesmlm models`), or set [phase] mode = "off"',
        )
    if settings.mode == "molecules" and settings.mask == "none" and settings.pupil is None:
        raise RigError(
            f'[phase] mode = "{settings.mode}", but neither mask nor pupil is given',
            limit="without a known asymmetry no image tells above from below the focus: the twin fits as well",
            remedy='state what is in the pupil, e.g. mask = "astigmatism", or the pupil.json of `livesmlm retrieve`',
        )
    if settings.mode == "beads":
        towards_objective(rig.beads)
    waves, blur_nm = ({}, 0.0) if settings.pupil is None else _read(settings.pupil)
    half = card.sample_space.scale("z_nm")[1] + BEYOND_NM
    window = 2 * round((LIGHT_NM + SPREAD * half) / pixel) + 1
    return Task(
        objective(rig.optics), pixel, half, settings.mask, waves, half if settings.height_nm is None else
        settings.height_nm, blur_nm, window, window + MARGIN_PX, settings.sigma_waves, settings.wander_waves,
    )  # fmt: skip


def towards_objective(settings: BeadsSettings) -> float:
    """Return 1 if the focal plane moves towards the objective as z grows, else -1; RigError if that is not stated."""
    if settings.focal_plane is None:
        raise RigError(
            "[beads] focal_plane is not given",
            limit="no image tells which way the stage moved: both ways fit equally well, and one is wrong",
            remedy='state focal_plane = "into-sample" or "towards-objective": where the focal plane goes as z grows',
        )
    return 1.0 if settings.focal_plane == "towards-objective" else -1.0


def _read(path: Path) -> tuple[dict[int, float], float]:
    try:
        facts = json.loads(path.read_text())
        return {int(j): float(c) for j, c in facts["zernike_waves"].items()}, float(facts["blur_nm"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RigError(
            f"[phase] pupil = {path}: {error!r}", remedy="name the pupil.json that `livesmlm retrieve` wrote"
        ) from error
