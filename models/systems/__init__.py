"""The networks, one file each. SYSTEMS names them, and how each is trained unless told otherwise, without torch."""

from __future__ import annotations

from typing import Literal, NamedTuple

from models.recipe import Recipe

Kind = Literal["localizer", "phase", "background", "trace"]


class System(NamedTuple):
    """What a system finds, and its usual recipe.

    Attributes
    ----------
    kind : {"localizer", "phase", "background", "trace"}
        Frames -> emitters; bead stacks -> coefficients of the wavefront; crops with an emitter -> their background;
        intensity traces -> bleaching steps.
    recipe : Recipe
    """

    kind: Kind
    recipe: Recipe


SYSTEMS = {
    "default": System("localizer", Recipe()),
    "decode": System("localizer", Recipe(system="decode", learning_rate=8e-4)),
    "moeckl-phase": System(
        "phase", Recipe(system="moeckl-phase", psf="", batch=32, patch_px=41, learning_rate=2e-3, steps=20_000)
    ),
    "moeckl-phase-images": System(
        "phase",
        Recipe(system="moeckl-phase-images", psf="", batch=32, patch_px=41, learning_rate=2e-3, steps=20_000),
    ),
    "paine-fienup": System(
        "phase", Recipe(system="paine-fienup", psf="", batch=32, patch_px=41, learning_rate=2e-3, steps=20_000)
    ),
    "bgnet": System(
        "background", Recipe(system="bgnet", psf="2d", batch=32, patch_px=20, learning_rate=3e-3, steps=10_000)
    ),
    "xu-bleaching": System("trace", Recipe(system="xu-bleaching", psf="", batch=64, learning_rate=3e-3, steps=20_000)),
}
