"""`[camera]` of rig.toml -> the camera of `models`, with its per-pixel maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models import map_check
from models.camera import Camera
from models.npz import read_npz
from stream.config import CameraSettings
from stream.errors import RigError

MAPS = ("offset_adu", "gain_e_per_adu", "read_noise_e")


def camera(settings: CameraSettings, height_px: int, width_px: int) -> Camera:
    """Return the camera of the rig for frames of this shape.

    Raises
    ------
    RigError
        The maps cannot be read, lack every known array, or have another shape than the frames.
    """
    maps = {} if settings.maps is None else read_maps(settings.maps, (height_px, width_px))
    return Camera(
        offset_adu=maps.get("offset_adu", settings.offset_adu),
        gain_adu_per_e=np.asarray(1 / maps.get("gain_e_per_adu", settings.gain_e_per_adu), np.float32),
        read_noise_e=maps.get("read_noise_e", settings.read_noise_e),
        em_gain=settings.em_gain,
        quantum_efficiency=settings.quantum_efficiency,
        bit_depth=settings.bit_depth,
    )


def map_doubts(settings: CameraSettings, frames: NDArray[np.uint16]) -> list[str]:
    """Say how the maps do not fit some frames (t, y, x); nothing where the rig has no maps."""
    if settings.maps is None:
        return []
    maps = read_maps(settings.maps)
    gain = maps.get("gain_e_per_adu", settings.gain_e_per_adu)
    noise = maps.get("read_noise_e")
    variance = None if noise is None else (noise / gain) ** 2
    return map_check.doubts(frames, maps.get("offset_adu"), variance, gain)


def read_maps(path: Path, shape: tuple[int, int] | None = None) -> dict[str, NDArray[np.float32]]:
    """Return the maps of a file by name, for frames of this shape if one is given; raises RigError as `camera`."""
    try:
        archive = read_npz(path)
        maps = {name: np.asarray(archive[name], np.float32) for name in MAPS if name in archive}
    except ValueError as error:
        raise RigError(f"[camera] maps = {path}: {error}", limit=_LIMIT, remedy="write it with numpy.savez") from error
    if not maps:
        raise RigError(f"[camera] maps = {path} holds {list(archive)}", limit=_LIMIT, remedy="name the arrays so")
    for name, values in maps.items():
        if shape is not None and values.shape != shape:
            turned = " (transposed it would fit)" if values.shape == shape[::-1] else ""
            raise RigError(
                f"[camera] maps: {name} has shape {values.shape}{turned}, the frames have {shape}",
                limit="maps are (y, x) and cover exactly the frame",
                remedy="cut the maps to the camera's region of interest",
            )
        if not np.isfinite(values).all() or (name == "gain_e_per_adu" and (values <= 0).any()):
            bad = int((~np.isfinite(values) | ((values <= 0) & (name == "gain_e_per_adu"))).sum())
            raise RigError(
                f"[camera] maps: {name} has {bad} pixels that are not finite or not positive",
                remedy="give dead pixels the median of the map and a high read_noise_e",
            )
    return maps


_LIMIT = f"a .npz file with (y, x) arrays, any of {', '.join(MAPS)}"
