"""Frames of any size as overlapping tiles, each of which answers for a part of its own.

    |<------- tile 0: 64 ------->|
    |<---- own: 52 ---->|<-- own: 40 -->|
                |<------- tile 1: 64 ------->|

A tile begins 40 pixels after the one before, the last one so that it ends where the frame does: all pixels are real.
What lies at least 12 pixels inside is its own; at the frame's edges its part reaches to the edge. Frames that are
smaller than a tile go on as in a mirror.

An emitter on the line between two parts may be told on the far side of it by both tiles, and nobody would keep it. So a
tile also answers half a radius beyond its part, and of two answers of different tiles within a radius the weaker goes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from export.graph import divided
from models.systems.deep_loco import TILE_PX

MARGIN_PX = 12
OWN_PX = TILE_PX - 2 * MARGIN_PX


class Along(NamedTuple):
    """Where k tiles lie along one axis of a frame.

    Attributes
    ----------
    start, low, high : (k,) int64
        First pixel; the part of its own, from `low` to below `high`.
    pixel : (k, 64) int64
        Which pixels of the frame make it up.
    """

    start: Tensor
    low: Tensor
    high: Tensor
    pixel: Tensor


class Grid(NamedTuple):
    """The tiles of a frame, row by row."""

    rows: Along
    columns: Along

    def cut(self, maps: Tensor) -> Tensor:
        """(t, c, y, x) -> (t * tiles, c, 64, 64), frame by frame."""
        across = maps[:, :, :, self.columns.pixel]  # (t, c, y, k, 64)
        both = across[:, :, self.rows.pixel]  # (t, c, j, 64, k, 64)
        return both.permute(0, 2, 4, 1, 3, 5).reshape(-1, maps.shape[1], TILE_PX, TILE_PX)

    def of(self, tile: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the frame of tiles as `cut` counts them, (n,), and start, low and high in x and y, (n, 2) each."""
        across, down = self.columns.start.shape[0], self.rows.start.shape[0]
        line = divided(tile, across)
        frame = divided(line, down)
        column, row = tile - line * across, line - frame * down
        start, low, high = (
            torch.stack((one[column], other[row]), dim=1)
            for one, other in zip(self.columns[:3], self.rows[:3], strict=True)
        )
        return frame, start, low, high


def along(side_px: int, device: torch.device) -> Along:
    """Return the tiles along an axis with so many pixels."""
    longest = torch.sym_max(side_px, TILE_PX)  # type: ignore[no-untyped-call]
    count = (longest - TILE_PX + OWN_PX - 1) // OWN_PX + 1
    number = torch.arange(count, device=device)
    start = (number * OWN_PX).clamp(max=side_px - TILE_PX).clamp(min=0)
    low = torch.where(number == 0, 0, number * OWN_PX + MARGIN_PX)
    high = torch.where(number == count - 1, side_px, (number + 1) * OWN_PX + MARGIN_PX)
    pixel = start[:, None] + torch.arange(TILE_PX, device=device)
    turn = pixel - divided(pixel, 2 * side_px) * (2 * side_px)
    return Along(start, low, high, torch.minimum(turn, 2 * side_px - 1 - turn))


def answered(place: Tensor, weight: Tensor, tile: Tensor, grid: Grid, radius_px: float) -> Tensor:
    """Return which of n answers count, (n,) bool: in their tile's part, and told by no other tile with more weight.

    Parameters
    ----------
    place : (n, 2) float
        x, y in the frame in pixels.
    weight : (n,) float
    tile : (n,) int64
    grid : Grid
    radius_px : float
        Answers of different tiles that are nearer are of one emitter.
    """
    frame, _, low, high = grid.of(tile)
    last = torch.stack((grid.columns.high[-1], grid.rows.high[-1]))
    beyond = radius_px / 2
    inside = ((place >= low - beyond) & (place < high + beyond) & (place < last)).all(1)
    near_line = ((place < low + 3 * beyond) | (place >= high - 3 * beyond)).any(1)
    some = torch.nonzero(inside & near_line)[:, 0]
    twice = _told_better(place[some], weight[some], tile[some], frame[some], radius_px)
    return inside.index_put((some,), ~twice)


def _told_better(place: Tensor, weight: Tensor, tile: Tensor, frame: Tensor, radius_px: float) -> Tensor:
    """Return beside which answers another tile has a stronger one, (n,) bool; of equal ones the first is stronger."""
    near = (place[:, None] - place).square().sum(-1) < radius_px**2
    rival = near & (frame[:, None] == frame) & (tile[:, None] != tile)
    number = torch.arange(tile.shape[0], device=tile.device)
    stronger = (weight > weight[:, None]) | ((weight == weight[:, None]) & (number < number[:, None]))
    return (rival & stronger).any(1)
