"""Systems by name, as the trainer sees them."""

from __future__ import annotations

from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.bgnet import BackgroundOfCrops
from models.systems.localizing import LOSSES, Localizing
from models.systems.moeckl_phase import PhaseFromStacks
from models.systems.subject import Subject


def subject(recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None, device: str) -> Subject:
    """Return what is trained by a recipe.

    Parameters
    ----------
    recipe : Recipe
    space : SampleSpace
    spot : LowRankSpot or None
        In depth, of what is trained for a spot.
    device : str

    Raises
    ------
    ValueError
        There is no such system.
    """
    if recipe.system in LOSSES:
        return Localizing(recipe, space, spot, device)
    if recipe.system == "bgnet":
        return BackgroundOfCrops(recipe, space, spot, device)
    if recipe.system == "moeckl-phase":
        return PhaseFromStacks(recipe, space, device)
    raise ValueError(f"no system is called {recipe.system!r}")
