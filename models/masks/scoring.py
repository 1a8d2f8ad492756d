"""How well the network behind a mask locates single emitters, and how often it tells their colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models.camera import Camera
from models.evaluation.conditions import Locate
from models.masks.layer import ShownSpot
from models.optics.crlb import spot_bounds
from models.optics.render import render

Float64 = NDArray[np.float64]
SIDE_PX, AWAY_PX = 40, 4.0
"""Frames, and how far from their middle the emitter may be in x and y."""
NEAR_NM = 250.0
CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5)
BACKGROUND, PHOTONS, EMITTERS = 10.0, (1000.0, 3000.0, 10_000.0), 300
LATERAL = ("x_nm", "y_nm", "photons", "background")


class Single(NamedTuple):
    """Frames with one emitter each.

    Attributes
    ----------
    stack : (n, y, x) uint16 ADU
    colour : (n,) int64
    position_nm : (n, 2) float64
        x, y from the outer corner of the frame.
    bound_nm : (n, 2) float64
        Smallest standard deviations, read noise included.
    """

    stack: NDArray[np.uint16]
    colour: NDArray[np.int64]
    position_nm: Float64
    bound_nm: Float64


@torch.no_grad()
def single(spots: Sequence[ShownSpot], photons: float, count: int, seed: int) -> Single:
    """Return frames of emitters of all colours in turn, as bright as stated, over a flat background of 10."""
    rng, pixel = np.random.default_rng(seed), spots[0].pixel_size_nm
    colour = np.arange(count) % len(spots)
    place = (SIDE_PX / 2 + rng.uniform(-AWAY_PX, AWAY_PX, (count, 2))) * pixel
    position = torch.from_numpy(np.column_stack((place, 0 * place[:, 0])))
    light, bound = torch.zeros(count, SIDE_PX, SIDE_PX, dtype=torch.float64), np.empty((count, 2))
    for c, spot in enumerate(spots):
        those = np.flatnonzero(colour == c)
        given = position[those]
        frame = torch.arange(len(those))
        light[those] = render(spot, given, torch.full((len(those),), photons), frame, (len(those), SIDE_PX, SIDE_PX))
        bound[those] = _bound(spot, given, photons)
    return Single(CAMERA.expose(light.clamp(min=0).numpy() + BACKGROUND, rng), colour, place, bound)


def _bound(spot: ShownSpot, position: torch.Tensor, photons: float) -> Float64:
    """Return the bounds of x and y, (n, 2): the place in the pixel counts, not the pixel."""
    pixel = spot.pixel_size_nm
    local = position[:, :2] - (torch.floor(position[:, :2] / pixel) + 0.5) * pixel
    light = torch.tensor([0.0, photons, BACKGROUND], dtype=torch.float64).expand(len(local), 3)
    found = spot_bounds(spot, torch.cat((local, light), dim=1), float(np.mean(CAMERA.variance_e2)), free=LATERAL)
    return np.stack([found[name].numpy() for name in ("x_nm", "y_nm")], axis=1)


def judged(locate: Locate, seen: Single) -> dict[str, float]:
    """Return what share was found, of those the share in the right colour, the error, and the error over the bound.

    Found is an emitter with a localization within 250 nm; of several the most probable one counts, the others, and
    those farther away, are `spurious` ones for each frame.
    """
    table, count = locate(seen.stack, CAMERA), len(seen.stack)
    frame, channel = np.asarray(table["frame"], np.int64), np.asarray(table["channel"])
    error = (
        np.stack([np.asarray(table[name], np.float64) for name in ("x_nm", "y_nm")], axis=1) - seen.position_nm[frame]
    )
    near = np.hypot(*error.T) < NEAR_NM
    order = np.lexsort((-np.asarray(table["probability"]), frame))
    order = order[near[order]]
    which, first = np.unique(frame[order], return_index=True)
    rows = order[first]
    missing = float("nan")
    return {
        "found": len(which) / count,
        "right_colour": float((channel[rows] == seen.colour[which]).mean()) if len(rows) else missing,
        "rmse_lateral_nm": float(np.sqrt((error[rows] ** 2).mean())) if len(rows) else missing,
        "over_bound": float(np.sqrt((error[rows] ** 2 / seen.bound_nm[which] ** 2).mean())) if len(rows) else missing,
        "spurious": (len(frame) - len(rows)) / count,
    }


def by_photons(
    locate: Locate, spots: Sequence[ShownSpot], seed: int, photons: Sequence[float] = PHOTONS, count: int = EMITTERS
) -> dict[str, Any]:
    """Return `judged` for each brightness."""
    return {
        f"{n:g}": {name: round(value, 4) for name, value in judged(locate, single(spots, n, count, seed)).items()}
        for n in photons
    }
