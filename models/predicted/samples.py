"""Few localizations, the widefield image, and the dense image of the same structure: what a network learns from.

| step | in -> out | axes, unit |
|---|---|---|
| structure | its kind -> where all localizations are, with their error | (n, 2) nm |
| sparse | the first of them -> histogram, less its mean, over its standard deviation | (b, y, x) |
| dense | all of them -> histogram under a Gaussian of one pixel, from 0 to 1 | (b, y, x) |
| widefield | their light, blurred and noisy, from 0 to 1 | (b, y / 4, x / 4) |

Scales are those of Ouyang et al., Nat. Biotechnol. 36, 460 (2018): mean and standard deviation of what goes in, least
and most of what comes out. The same (seed, step) gives the same samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from models.predicted.space import COARSER, PIXEL_NM, TILE_PX, TRAINED_STRUCTURES
from models.sample_space import SampleSpace
from models.scenes.structures import STRUCTURES, Field, Positions

Float32 = NDArray[np.float32]
FIELD = Field(TILE_PX * PIXEL_NM, TILE_PX * PIXEL_NM)


@dataclass(frozen=True, slots=True)
class Fields:
    """A batch of fields.

    Parameters
    ----------
    sparse, dense : (b, y, x) float32
    widefield : (b, y / 4, x / 4) float32
    structure : (b, s) float32
        1 for what it is, of `TRAINED_STRUCTURES`; else 0.
    """

    sparse: Float32
    dense: Float32
    widefield: Float32
    structure: Float32


class FieldSimulator:
    """Draws fields.

    Parameters
    ----------
    space : SampleSpace
        As `models.predicted.space.PREDICTED`.
    batch : int
    """

    def __init__(self, space: SampleSpace, batch: int) -> None:
        self._space, self._batch = space, batch

    def draw(self, seed: int, step: int) -> Fields:
        """Return the batch of a step."""
        rng = np.random.default_rng((seed, step))
        which = rng.integers(0, len(TRAINED_STRUCTURES), self._batch)
        parts = [self._field(TRAINED_STRUCTURES[kind], rng) for kind in which]
        sparse, dense, wide = (np.stack(one) for one in zip(*parts, strict=True))
        return Fields(sparse, dense, wide, np.eye(len(TRAINED_STRUCTURES), dtype=np.float32)[which])

    def _field(self, structure: str, rng: np.random.Generator) -> tuple[Float32, Float32, Float32]:
        settings = self._space.sample(rng)
        count = rng.poisson(settings["localizations_per_um2"] * FIELD.width_nm * FIELD.height_nm / 1e6)
        places = STRUCTURES[structure](count, FIELD, rng)[:, :2]
        return field_of(places, settings["share"], settings, rng)


def field_of(
    places_nm: Positions, share: float, settings: dict[str, float], rng: np.random.Generator
) -> tuple[Float32, Float32, Float32]:
    """Return sparse, dense and widefield image of a structure.

    Parameters
    ----------
    places_nm : (n, 2) float
        x, y of all localizations, in random order, without their error.
    share : float
        Of them that are there already.
    settings : dict
        As a `SampleSpace` like `PREDICTED` gives them.
    rng : Generator
    """
    found = places_nm + rng.normal(0, settings["precision_nm"], places_nm.shape)
    false = rng.random(len(found)) < settings["false_share"]
    found[false] = rng.uniform(0, FIELD.xy_nm, (int(false.sum()), 2))
    early = found[: max(1, round(share * len(found)))]
    return standard(histogram(early)), dense_image(histogram(found)), _widefield(histogram(places_nm), settings, rng)


def histogram(places_nm: Positions) -> Float32:
    """Return how many of the places (n, 2) nm are in each pixel of a tile, (y, x)."""
    edges = ((0, FIELD.height_nm), (0, FIELD.width_nm))
    return np.histogram2d(places_nm[:, 1], places_nm[:, 0], TILE_PX, edges)[0].astype(np.float32)


def standard(image: Float32) -> Float32:
    """Return an image less its mean, over its standard deviation."""
    spread = float(image.std()) or 1.0
    return np.asarray((image - image.mean()) / spread, np.float32)


def unit(image: Float32) -> Float32:
    """Return an image from 0, its least, to 1, its most."""
    low, high = float(image.min()), float(image.max())
    return np.asarray((image - low) / ((high - low) or 1.0), np.float32)


def rms(error: Float32) -> float:
    """Return the root mean square of an error map: how much of the widefield image the prediction leaves open."""
    return float(np.sqrt(np.square(error).mean()))


def dense_image(counts: Float32) -> Float32:
    """Return a histogram as it is looked at: under a Gaussian of one pixel, from 0 to 1."""
    return unit(gaussian_filter(counts, 1.0))


def _widefield(counts: Float32, settings: dict[str, float], rng: np.random.Generator) -> Float32:
    side = TILE_PX // COARSER
    light = gaussian_filter(counts, settings["widefield_sigma_nm"] / PIXEL_NM)
    coarse = unit(light.reshape(side, COARSER, side, COARSER).mean((1, 3)))
    lifted = settings["widefield_background"] + (1 - settings["widefield_background"]) * coarse
    return unit(lifted + rng.normal(0, settings["widefield_noise"], coarse.shape).astype(np.float32))
