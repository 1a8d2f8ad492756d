"""smNet for dipoles: a crop -> polar angle and azimuth (Zhang et al., Nat. Methods 15, 913, 2018).

Of the paper: the trunk, crops divided by their own maximum, errors that count in Cramer-Rao bounds, an oil objective of
1.4 on a watery sample. Chosen here: one network for both angles, since upright there is no azimuth; it says the
products of the dipole's components, which have no sign and no jump (`models/crops/orientation.py`); dipoles lie on the
coverslip within 200 nm of the focus and may wobble, which the paper's do not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.crops.bounds import crop_bounds
from models.crops.build import crop_spots
from models.crops.orientation import COLUMN, OrientationAnswers, along_frame, apart_deg, turn_bounds
from models.crops.samples import EmitterCrops, EmitterSimulator
from models.losses import Losses
from models.optics.pupil import PAIRS
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.reading import Reader
from models.systems.smnet import SIZES, SmNet

LEAST_RAD, MOST_RAD = 0.003, 0.6
"""Bounds that the loss counts in: beyond these an error says nothing of the network."""
ALIKE = 4
"""Crops that share the dipole's image, which is slow to compute."""


class OrientationReading:
    """A network for dipoles of a recipe.

    Parameters
    ----------
    recipe : Recipe
        `patch_px` is the side of the crops.
    space : SampleSpace
        As `models.crops.space.ON_COVERSLIP`, with the objective's numbers.
    device : str
    """

    def __init__(self, recipe: Recipe, space: SampleSpace, device: str) -> None:
        self._recipe, self._spots = recipe, crop_spots("", space, None, recipe.patch_px, device, ALIKE)
        self._simulator = EmitterSimulator(self._spots, space, recipe.batch, recipe.patch_px, device)

    def network(self) -> Reader:
        """Return the network, untrained."""
        network = SmNet(self._recipe.patch_px, len(PAIRS), SIZES[self._recipe.size])
        return Reader(network, OrientationAnswers(), spread=False)

    def draw(self, seed: int, step: int) -> tuple[EmitterCrops, Tensor]:
        """Return the crops of a step, and the bounds of their columns."""
        crops = self._simulator.draw(seed, step)
        return crops, crop_bounds(self._spots, crops, further_known=False)

    def losses(self, network: Reader, samples: tuple[EmitterCrops, Tensor]) -> Losses:
        """Return square errors over bounds: turns over their own, what is no turn over both; a part is in degrees."""
        crops, bound = samples
        angles = crops.truth[:, COLUMN][:, :2]
        said, _ = network(crops.counts, crops.variance)
        turn, rest = along_frame(said, angles)
        limit = turn_bounds(bound, crops.truth).clamp(LEAST_RAD, MOST_RAD)
        both = limit.prod(dim=1, keepdim=True).sqrt()
        total = torch.cat((turn / limit, rest / both), dim=1).square().mean()
        with torch.no_grad():
            apart = apart_deg(network.answers.table(said, None), angles).mean()
        return Losses({"loss": total.detach(), "degrees": apart}, total)
