"""Depth by a learned mask: DeepSTORM3D end to end, mask and network together (Nehme et al., Nat. Methods 17, 2020).

Kept of the paper: a phase mask whose images gradients pass through, shot noise included, learned together with the
network that must find crowded emitters in depth behind it. Chosen here: the network is the trunk that tells a list
(`dilated.py`), since a volume of voxels costs a hundred times as much; the loss is the localizers', with the bounds of
the mask (`masks/joint.py`); emitters are fewer than a localizer's, because each is drawn exactly, through the pupil of
that moment. What is exported is a localizer with spots of its own: it can be trained on with the mask held, at any
density, as `deepstorm3d-list --psf MODEL.spot.npz --from MODEL.onnx`, for which there is no guard.
"""

from __future__ import annotations

from models.losses import Losses, Target
from models.masks.joint import Behind, MaskAndNetwork
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.simulation import Samples, Scenes
from models.systems import dilated
from models.systems.dilated import DilatedLocalizer

BOUNDS = 4.0
"""Weight of the mask's criterion: with 1 a network that cannot read heights yet bends it towards small round spots."""


def losses(network: DilatedLocalizer, samples: Samples, scenes: Scenes) -> Losses:
    """Return the loss of the list."""
    target = Target(samples.sample, samples.position, samples.emitter_counts, samples.background)
    return dilated.losses(network, network(samples.counts, samples.variance), target)


def subject(recipe: Recipe, space: SampleSpace, device: str) -> MaskAndNetwork:
    """Return mask and network of a recipe; raises ValueError if the space has no depth."""
    if "z_nm" not in space.fields:
        raise ValueError(f"{recipe.system} finds z: state z_nm in the sample space")
    behind = Behind(lambda: DilatedLocalizer(dilated.SIZES[recipe.size]), losses, frames=(1,), bounds=BOUNDS)
    return MaskAndNetwork(behind, recipe, space, device)
