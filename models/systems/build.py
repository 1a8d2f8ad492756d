"""Systems by name, as the trainer sees them."""

from __future__ import annotations

from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems import deep_storm_3d_mask, hershko, hershko_colour, kim, moeckl_phase, paine_fienup, smnet, zelger
from models.systems.anna_palm import Predictions
from models.systems.bgnet import BackgroundOfCrops
from models.systems.colouring import ColourReading
from models.systems.deep_loco import PointsOfTiles
from models.systems.deep_storm import NETWORKS, ImagesOfFrames
from models.systems.deep_storm_3d import VolumesOfFrames
from models.systems.localizing import LOSSES, Localizing
from models.systems.reading import CropReading
from models.systems.smnet_orientation import OrientationReading
from models.systems.subject import Subject
from models.systems.wavefronts import Wavefronts
from models.systems.xu_bleaching import Bleaching

WAVEFRONTS = {
    "moeckl-phase": moeckl_phase.KIND, "moeckl-phase-images": moeckl_phase.BY_IMAGES,
    "paine-fienup": paine_fienup.KIND,
}  # fmt: skip
CROPS = {
    "zelger": zelger.TOGETHER, "zelger-alone": zelger.WITHOUT, "smnet-z": smnet.AXIAL, "smnet-xy": smnet.LATERAL,
    "smnet-aberrations": smnet.ABERRATIONS,
}  # fmt: skip

MASKS = {"hershko": hershko.subject, "deepstorm3d-mask": deep_storm_3d_mask.subject}
COLOURS = {"kim": kim.KIM, "hershko-colour": hershko_colour.CLASSIFIER}


def subject(recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None, device: str) -> Subject:
    """Return what is trained by a recipe.

    Parameters
    ----------
    recipe : Recipe
    space : SampleSpace
    spot : LowRankSpot or None
        Of emitters in depth, where it is trained for a spot.
    device : str

    Raises
    ------
    ValueError
        There is no such system.
    """
    if recipe.system in LOSSES:
        return Localizing(recipe, space, spot, device)
    if recipe.system == "deeploco":
        return PointsOfTiles(recipe, space, spot, device)
    if recipe.system == "deepstorm3d":
        return VolumesOfFrames(recipe, space, spot, device)
    if recipe.system == "bgnet":
        return BackgroundOfCrops(recipe, space, spot, device)
    if recipe.system in NETWORKS:
        return ImagesOfFrames(recipe, space, spot, device)
    if recipe.system == "xu-bleaching":
        return Bleaching(recipe, space, device)
    if recipe.system == "anna-palm":
        return Predictions(recipe, space, device)
    if recipe.system in WAVEFRONTS:
        return Wavefronts(WAVEFRONTS[recipe.system], recipe, space, device)
    if recipe.system == "smnet-orientation":
        return OrientationReading(recipe, space, device)
    if recipe.system in CROPS:
        return CropReading(CROPS[recipe.system], recipe, space, spot, device)
    if recipe.system in MASKS:
        return MASKS[recipe.system](recipe, space, device)
    if recipe.system in COLOURS:
        return ColourReading(COLOURS[recipe.system], recipe, space, device)
    raise ValueError(f"no system is called {recipe.system!r}")
