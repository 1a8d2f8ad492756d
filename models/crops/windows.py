"""Crops of an even side as parts of odd windows, in which spots are computed (`models/backgrounds/crops.py`).

Positions count from the centre of the crop, a corner between four pixels; spots have odd windows, whose centre is half
a pixel farther, and whose last row and column are left out.
"""

from __future__ import annotations

from torch import Tensor, tensor


def in_window(place_nm: Tensor, pixel_size_nm: float) -> Tensor:
    """Return positions (n, 3) from the centre of a crop as positions from that of the odd window around it."""
    half = tensor([pixel_size_nm / 2, pixel_size_nm / 2, 0.0], dtype=place_nm.dtype, device=place_nm.device)
    return place_nm - half


def cropped(images: Tensor) -> Tensor:
    """Return windows (..., y, x) without their last row and column."""
    return images[..., :-1, :-1]
