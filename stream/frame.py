"""Frame and Batch: pixels, absolute index and times travel together in one immutable object.

Decision: one object, never two paths. Context: a mosaic shears when pixels and frame numbers travel apart.
Consequence: whoever has the pixels has their index and times, and cannot mix them up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

UInt16Array = NDArray[np.uint16]
Float64Array = NDArray[np.float64]
Axes = Mapping[str, int | float | str]


@dataclass(frozen=True, slots=True)
class Frame:
    """One camera frame.

    Parameters
    ----------
    pixels : (y, x) uint16
        Raw camera counts in ADU.
    index : int
        Absolute 0-based frame index from the camera's own counter, never an arrival counter.
    camera_time_s : float
        Camera clock; nan where the camera gives none.
    host_time_s : float
        Host clock (`time.monotonic`) when the source received the frame; nan if unknown.
    stage_z_um : float
        Stage position; nan if unknown.
    axes : mapping of str to int, float or str
        Where it lies in an acquisition of several dimensions: time, z, channel, ...; kept in `axes.jsonl`, not in ring
        and spool.
    """

    pixels: UInt16Array
    index: int
    camera_time_s: float = nan
    host_time_s: float = nan
    stage_z_um: float = nan
    axes: Axes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames in the order of their index.

    Parameters
    ----------
    pixels : (t, y, x) uint16
        Raw camera counts in ADU; a view of the ring where its slots are contiguous.
    index : (t,) int64
        Absolute 0-based frame indices, strictly increasing.
    camera_time_s, host_time_s, stage_z_um : (t,) float64
        As in `Frame`.
    """

    pixels: UInt16Array
    index: NDArray[np.int64]
    camera_time_s: Float64Array
    host_time_s: Float64Array
    stage_z_um: Float64Array

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def empty(cls, height_px: int, width_px: int) -> Batch:
        """Return a batch without frames."""
        none = np.empty(0)
        return cls(np.empty((0, height_px, width_px), np.uint16), np.empty(0, np.int64), none, none, none)


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a source knows of its frames once it is open; fixed for the whole run.

    Parameters
    ----------
    height_px, width_px : int
        Shape of every frame.
    frames : int or None
        Number of frames to come; None if open-ended.
    verifiable : bool
        True where `Frame.index` is the camera's own counter, so that a lost frame leaves a gap that can be seen.
    waits : bool
        True where the source can be made to wait without loss (a file read as fast as it is analysed).
    exposure_ms : float
        nan if unknown.
    pixel_size_nm : float
        As stated by the data itself; nan if unknown. Compared with the rig's, never used instead of it.
    description : str
        One line for people: camera name or file name.
    camera : mapping of str to str, number, list or mapping
        What the camera says of itself: devices, field, exposure, versions; empty for a file. For `run.json`.
    remarks : tuple of str
        What looks wrong before the first frame, in words.
    """

    height_px: int
    width_px: int
    frames: int | None = None
    verifiable: bool = True
    waits: bool = False
    exposure_ms: float = nan
    pixel_size_nm: float = nan
    description: str = ""
    camera: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
