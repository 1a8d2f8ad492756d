"""The networks, one file each. SYSTEMS names them, and how each is trained unless told otherwise, without torch."""

from __future__ import annotations

from typing import Literal, NamedTuple

from models.recipe import Recipe

Kind = Literal["localizer", "phase", "background", "crops", "image", "trace", "colour", "mask", "prediction"]


class System(NamedTuple):
    """What a system finds, and its usual recipe.

    Attributes
    ----------
    kind : {"localizer", "phase", "background", "crops", "image", "trace", "colour", "mask", "prediction"}
        Frames -> emitters; bead stacks -> coefficients of the wavefront; crops with an emitter -> their background;
        crops with an emitter -> what it is; frames -> super-resolved images; intensity traces -> bleaching steps; crops
        with an emitter -> its colour; frames behind a mask that is learned too -> emitters; few localizations
        -> the dense image to be expected.
    recipe : Recipe
    """

    kind: Kind
    recipe: Recipe


SYSTEMS = {
    "default": System("localizer", Recipe()),
    "decode": System("localizer", Recipe(system="decode", learning_rate=8e-4)),
    "deeploco": System("localizer", Recipe(system="deeploco", batch=8, patch_px=64, learning_rate=3e-3)),
    "deepstorm3d": System(
        "localizer",
        Recipe(system="deepstorm3d", psf="tetrapod", batch=4, patch_px=48, learning_rate=2e-3, steps=40_000),
    ),
    "deepstorm3d-list": System(
        "localizer",
        Recipe(system="deepstorm3d-list", psf="tetrapod", batch=8, patch_px=48, learning_rate=3e-3, steps=40_000),
    ),
    "deepstorm3d-mask": System(
        "mask",
        Recipe(
            system="deepstorm3d-mask", psf="", batch=4, patch_px=48, learning_rate=3e-3, weight_decay=0, steps=20_000
        ),
    ),
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
    "zelger": System(
        "crops", Recipe(system="zelger", psf="astigmatic", batch=64, patch_px=20, learning_rate=2e-3, steps=30_000)
    ),
    "zelger-alone": System(
        "crops",
        Recipe(system="zelger-alone", psf="astigmatic", batch=64, patch_px=20, learning_rate=2e-3, steps=30_000),
    ),
    "smnet-z": System(
        "crops", Recipe(system="smnet-z", psf="astigmatic", batch=64, patch_px=20, learning_rate=2e-3, steps=30_000)
    ),
    "smnet-xy": System(
        "crops", Recipe(system="smnet-xy", psf="astigmatic", batch=64, patch_px=20, learning_rate=2e-3, steps=30_000)
    ),
    "smnet-orientation": System(
        "crops", Recipe(system="smnet-orientation", psf="", batch=64, patch_px=16, learning_rate=2e-3, steps=30_000)
    ),
    "smnet-aberrations": System(
        "crops", Recipe(system="smnet-aberrations", psf="", batch=64, patch_px=16, learning_rate=2e-3, steps=60_000)
    ),
    "deep-storm": System(
        "image", Recipe(system="deep-storm", batch=16, patch_px=26, learning_rate=1e-3, weight_decay=0, steps=22_000)
    ),
    "deep-storm-light": System(
        "image", Recipe(system="deep-storm-light", batch=16, patch_px=32, learning_rate=1.5e-3, steps=30_000)
    ),
    "hershko": System(
        "mask", Recipe(system="hershko", psf="", batch=8, patch_px=40, learning_rate=3e-3, weight_decay=0, steps=30_000)
    ),
    "kim": System("colour", Recipe(system="kim", psf="", batch=64, patch_px=16, learning_rate=1e-3, steps=30_000)),
    "hershko-colour": System(
        "colour", Recipe(system="hershko-colour", psf="", batch=64, patch_px=16, learning_rate=2e-3, steps=30_000)
    ),
    "xu-bleaching": System("trace", Recipe(system="xu-bleaching", psf="", batch=64, learning_rate=3e-3, steps=20_000)),
    "anna-palm": System(
        "prediction", Recipe(system="anna-palm", psf="", batch=2, patch_px=256, learning_rate=1e-3, steps=20_000)
    ),
}
