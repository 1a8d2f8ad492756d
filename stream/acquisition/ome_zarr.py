"""Raw frames as OME-Zarr: one lossless, growing image that other programs open while it grows and after.

    run.ome.zarr/           OME-NGFF 0.4 on Zarr 2, the pair that most viewers read today
      0/                    (t, y, x) uint16 ADU
      frame_index/          (t,) int64, absolute index of each frame: a gap is a frame that was not received
      camera_time_s/        (t,) float64, camera clock; nan where it gives none
      stage_z_um/           (t,) float64, stage position; nan where nobody states it

`frame_index` is written last: frames beyond its end were cut short and do not count.
"""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numcodecs import Blosc  # type: ignore[import-untyped]

from stream.books.ranges import Ranges
from stream.frame import Batch, StreamInfo
from stream.sinks.storage import creating, writing

CHUNK_BYTES = 8 * 2**20
INDEX_CHUNK = 4096
COMPRESSOR = Blosc("zstd", clevel=1, shuffle=Blosc.SHUFFLE)
"""Of those tried on camera noise (lz4, blosclz, zstd; byte and bit shuffle) the smallest, at 0.6 GB/s on one core."""


class OmeZarrWriter:
    """Writes frames chunk by chunk.

    Parameters
    ----------
    path : Path
        Folder to create; its name ends with `.ome.zarr`.
    stream : StreamInfo
        Shape of the frames.
    pixel_size_nm : float
        Camera pixel size in the sample.

    Raises
    ------
    OutputError
        The folder exists already or cannot be created.
    """

    def __init__(self, path: Path, stream: StreamInfo, pixel_size_nm: float) -> None:
        self._path, self._stream, self._pixel_size_nm = path, stream, pixel_size_nm
        shape = stream.height_px, stream.width_px
        self._chunk = np.empty((max(1, CHUNK_BYTES // (2 * shape[0] * shape[1])), *shape), np.uint16)
        self._index = np.empty(len(self._chunk), np.int64)
        self._time_s, self._stage_um = np.empty((2, len(self._chunk)), np.float64)
        self._filled, self._written = 0, 0
        self._first: tuple[int, float] | None = None
        self._last: tuple[int, float] | None = None
        with creating(path):
            path.mkdir()
            self._group = zarr.open_group(path, mode="w", zarr_format=2)
            self._frames = self._array("0", self._chunk.shape, "<u2", COMPRESSOR)
            self._indices = self._array("frame_index", (INDEX_CHUNK,), "<i8", None)
            self._times = self._array("camera_time_s", (INDEX_CHUNK,), "<f8", None)
            self._stages = self._array("stage_z_um", (INDEX_CHUNK,), "<f8", None)
            self._describe(interval_s=None, complete=False)

    def append(self, batch: Batch) -> Ranges:
        """Take frames, and return those that are on the disk since the last call.

        Raises
        ------
        StorageFault
            The disk is full or the folder is gone; the frames reported before are safe.
        """
        done, taken = Ranges(), 0
        while taken < len(batch):
            count = min(len(batch) - taken, len(self._chunk) - self._filled)
            here, there = slice(self._filled, self._filled + count), slice(taken, taken + count)
            self._chunk[here], self._index[here] = batch.pixels[there], batch.index[there]
            self._time_s[here], self._stage_um[here] = batch.camera_time_s[there], batch.stage_z_um[there]
            self._filled, taken = self._filled + count, taken + count
            if self._filled == len(self._chunk):
                done.update(self._flush())
        return done

    def close(self) -> Ranges:
        """Write what is left and the metadata that is known only now; return the frames written.

        Raises
        ------
        StorageFault
            As in `append`.
        """
        done = self._flush()
        with writing(self._path, kept=f"The {self._written} frames recorded before can be read."):
            self._describe(self._interval_s(), complete=True)
        return done

    def _flush(self) -> Ranges:
        """Write what is held back for a full chunk, and return it."""
        count, end = self._filled, self._written + self._filled
        if count == 0:
            return Ranges()
        with writing(self._path, kept=f"The {self._written} frames recorded before can be read."):
            for array, values in (
                (self._frames, self._chunk), (self._times, self._time_s), (self._stages, self._stage_um),
                (self._indices, self._index),
            ):  # fmt: skip
                array.resize((end, *array.shape[1:]))
                array[self._written : end] = values[:count]
        self._first = self._first or (int(self._index[0]), float(self._time_s[0]))
        self._last = int(self._index[count - 1]), float(self._time_s[count - 1])
        self._written, self._filled = end, 0
        done = Ranges()
        done.add_indices(map(int, self._index[:count]))
        return done

    def _array(self, name: str, chunks: tuple[int, ...], dtype: str, compressor: Blosc | None) -> zarr.Array[Any]:
        return self._group.create_array(
            name,
            shape=(0, *chunks[1:]),
            chunks=chunks,
            dtype=dtype,
            compressors=compressor,
            chunk_key_encoding={"name": "v2", "separator": "/"},
            fill_value=0,
            config={"write_empty_chunks": True},  # so that a chunk that is missing was lost
        )

    def _interval_s(self) -> float | None:
        """Return the mean time between two frames by the camera's clock; None if it has none."""
        if self._first is None or self._last is None:
            return None
        frames, seconds = self._last[0] - self._first[0], self._last[1] - self._first[1]
        return seconds / frames if frames > 0 and seconds > 0 else None

    def _describe(self, interval_s: float | None, complete: bool) -> None:
        """Write the OME-NGFF metadata; an axis whose scale is not known has no unit."""
        time_axis = {"name": "t", "type": "time"} | ({"unit": "second"} if interval_s else {})
        space = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
        scale = [interval_s or 1.0, *2 * [self._pixel_size_nm / 1000]]
        dataset = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
        exposure_ms = self._stream.exposure_ms
        image: Any = {"version": "0.4", "name": self._path.name, "axes": [time_axis, *space], "datasets": [dataset]}
        self._group.attrs.update({
            "multiscales": [image],
            "livesmlm": {
                "complete": complete,
                "frames": self._written,
                "camera": self._stream.description,
                "exposure_ms": exposure_ms if isfinite(exposure_ms) else None,
                "verifiable": self._stream.verifiable,
            },
        })  # fmt: skip
