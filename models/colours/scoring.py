"""How good answers for colours are: how often they are right by brightness and height, and z beside its bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.crops.scoring import Answer, Float32, Float64, HeldOut, held_out, scores_of
from models.crops.spots import KnownSpots
from models.optics.low_rank import LowRankSpot
from models.sample_space import SampleSpace

PHOTONS = (300.0, 1000.0, 3000.0, 10_000.0)
SLICES = 5


@dataclass(frozen=True, slots=True)
class ColoursHeldOut:
    """Crops of one brightness that no training saw, as many of each colour.

    Parameters
    ----------
    of_colour : tuple of HeldOut
        By channel.
    """

    of_colour: tuple[HeldOut, ...]

    @property
    def channel(self) -> NDArray[np.int64]:
        """The true one, (n,)."""
        return np.repeat(np.arange(len(self.of_colour)), [len(held.truth("z_nm")) for held in self.of_colour])

    @property
    def counts(self) -> Float32:
        """Photo-electrons over F^2, (n, y, x)."""
        return np.concatenate([held.crops.counts.numpy() for held in self.of_colour])

    @property
    def variance(self) -> Float32:
        """Of the read noise, (n, y, x)."""
        return np.concatenate([held.crops.variance.numpy() for held in self.of_colour])


def colours_held_out(
    spots: Sequence[LowRankSpot], space: SampleSpace, crop_px: int, photons: float, count: int
) -> ColoursHeldOut:  # fmt: skip
    """Return crops on a flat background in front of an sCMOS, at random z; bounds for a known colour.

    Parameters
    ----------
    spots : sequence of LowRankSpot
        Of each colour.
    space : SampleSpace
        Of the training.
    crop_px : int
    photons : float
        Photo-electrons of each emitter.
    count : int
        Crops of each colour.
    """
    parts = [held_out(KnownSpots(spot, crop_px), space, crop_px, photons, count, aberrated=False) for spot in spots]
    return ColoursHeldOut(tuple(parts))


def scores_of_colours(answer: Answer, held: ColoursHeldOut) -> dict[str, object]:
    """Return how many of all are told rightly, of each colour and by z, what is stated of it, and figures of z.

    `stated`: mean of the stated probabilities, which is `accuracy` if they are true; `z_nm`: as
    `models.crops.scoring.scores_of`, by colour.
    """
    said = {name: np.asarray(values, np.float64) for name, values in answer(held.counts, held.variance).items()}
    right = said["channel"] == held.channel
    z, (low, high) = np.concatenate([one.truth("z_nm") for one in held.of_colour]), held.of_colour[0].z_nm
    found: dict[str, object] = {
        "accuracy": _share(right), "stated": _share(said["channel_probability"]),
        "by_colour": [_share(part) for part in np.split(right, len(held.of_colour))],
        "by_z": [
            {"z_nm": (a + b) / 2, "accuracy": _share(right[(z >= a) & (z < b)])}
            for a, b in pairwise(np.linspace(low, high, SLICES + 1).tolist())
        ],
    }  # fmt: skip
    return found | ({"z_nm": _of_z(said, held)} if "z_nm" in said else {})


def _of_z(said: dict[str, Float64], held: ColoursHeldOut) -> list[dict[str, object]]:
    parts = len(held.of_colour)
    split = {name: np.split(values, parts) for name, values in said.items() if name in ("z_nm", "sigma_z_nm")}
    return [
        _z_figures({name: values[k] for name, values in split.items()}, one) for k, one in enumerate(held.of_colour)
    ]


def _z_figures(said: dict[str, Float64], held: HeldOut) -> dict[str, object]:
    return scores_of(lambda counts, variance: said, held)["z_nm"]


def _share(values: NDArray[np.bool_] | Float64) -> float:
    return round(float(np.mean(values)), 4) if len(values) else float("nan")
