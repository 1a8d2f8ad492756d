"""Localizations -> what a network says of the crop around each (`[crops]` of rig.toml), where one molecule is alone.

Its columns replace those of the localizer, or join them; flag bit 3 tells which rows it has read. A crop that holds
another candidate, or that reaches beyond the frame, is nothing it was trained on: the row stays as it was, and where
the localizer has no such column (z in two dimensions) it is left out and counted; where only orientation or colour is
missing it stays, with what says so.
A network that sees two planes gets a crop of each; molecules of the second plane stay as they were too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.backgrounds.crops import corners, cut
from models.camera import Camera
from models.localizations import READ, SCHEMA, UNREAD, Localizations
from models.refining.neighbours import same_frame_distance
from models.refining.refine import xy_px
from stream.engine import Engine
from stream.frame import Batch
from stream.stages.crop_bounds import CropBounds
from stream.stages.crop_optics import PupilOfCrops
from stream.stages.oriented_bounds import OrientedBounds
from stream.stages.second_plane import SecondPlane
from stream.stages.stage import Located, Stage

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Columns = dict[str, NDArray[np.generic]]


class CropReader:
    """A stage whose localizations are read again by a network, once for all frames that come together.

    Parameters
    ----------
    stage : Stage
    engine : Engine
        With a model of kind "crops".
    camera : Camera
        Its maps cover the frames.
    shape : (int, int)
        Rows and columns of the frames.
    pixel_size_nm : float
    bounds : CropBounds, OrientedBounds or None
        Says how sure a network is that states nothing of it.
    pupil : PupilOfCrops or None
        Takes the aberrations that the network finds.
    second : SecondPlane or None
        Of a network that sees two.
    """

    def __init__(
        self, stage: Stage, engine: Engine, camera: Camera, shape: tuple[int, int], pixel_size_nm: float,
        bounds: CropBounds | OrientedBounds | None = None, pupil: PupilOfCrops | None = None,
        second: SecondPlane | None = None,
    ) -> None:  # fmt: skip
        self._stage, self._engine, self._camera, self._shape = stage, engine, camera, shape
        self._pixel_nm, self._side, self._bounds, self._pupil = pixel_size_nm, engine.card.multiple_px, bounds, pupil
        self._second = second
        self._noise = np.broadcast_to(np.asarray(camera.variance_e2 / camera.excess**2, np.float32), shape)
        self._pixels: deque[tuple[int, Float32]] = deque()

    @property
    def look_ahead_frames(self) -> int:
        """How many of the newest frames may now lack their answer."""
        return self._stage.look_ahead_frames

    def process(self, batch: Batch) -> Located:
        """Take frames in order; return what is known by now."""
        counts = self._camera.photo_electrons(batch.pixels) / np.float32(self._camera.excess)
        self._pixels.extend(zip(batch.index.tolist(), np.asarray(counts, np.float32), strict=True))
        return self._read(self._stage.process(batch))

    def flush(self) -> Located:
        """Return the answer for the newest frames."""
        located = self._read(self._stage.flush())
        self._pixels.clear()
        return located

    def _read(self, located: Located) -> Located:
        frames = self._frames(located)
        table, side = located.table, self._side
        frame, xy = np.searchsorted(located.index, np.asarray(table["frame"])), xy_px(table, self._pixel_nm)
        planes = self._planes(xy)
        corner, rows = planes[0], self._readable(frame, xy, planes)
        place = {"x_px": xy[:, 0] - corner[:, 1] - side / 2, "y_px": xy[:, 1] - corner[:, 0] - side / 2}
        place["z_nm"] = np.asarray(table["z_nm"], np.float64) if "z_nm" in table else np.zeros(len(xy))
        said = self._said(frames, frame[rows], planes[:, rows], {name: values[rows] for name, values in place.items()})
        report = self._pupil.take(said, table["frame"][rows]) if self._pupil else None
        read, kept = self._joined(table, rows, self._columns(said, corner[rows]))
        out = int((~kept).sum())
        return replace(
            located, table=read.where(kept), left_out=located.left_out + out, optics=report or located.optics
        )  # fmt: skip

    def _planes(self, xy: Float64) -> NDArray[np.int64]:
        """Return the corners of crops in each plane, (plane, n, 2)."""
        first = corners(xy, self._side)
        return np.stack([first] if self._second is None else [first, self._second.corners(xy, self._side)])

    def _readable(
        self, frame: NDArray[np.int64], xy: Float64, planes: NDArray[np.int64]
    ) -> NDArray[np.intp]:  # fmt: skip
        """Return the rows whose crops lie in the frame and hold one molecule."""
        inside = ((planes >= 0) & (planes + self._side <= self._shape)).all(axis=(0, 2))
        alone = same_frame_distance(frame, xy) > self._side / 2
        if self._second is not None:
            alone &= self._second.alone(frame, xy, self._side)
        return np.flatnonzero(inside & alone)

    def _frames(self, located: Located) -> Float32:
        """Return the pixels (t, y, x) of the frames that were answered for; they came in the same order."""
        counts = np.empty((len(located.index), *self._shape), np.float32)
        for place, index in enumerate(located.index.tolist()):
            came, counts[place] = self._pixels.popleft()
            assert came == index, "a stage answers for frames in the order in which it took them"
        return counts

    def _said(
        self, frames: Float32, frame: NDArray[np.int64], planes: NDArray[np.int64], place: Mapping[str, Float64]
    ) -> dict[str, Float32]:
        """Return the network's columns for some crops, and those that their bounds add; `place`: the localizer's."""
        columns = self._engine.card.columns
        if not len(frame):
            none = np.empty(0, np.float32)
            return dict.fromkeys(columns if self._bounds is None else (*columns, *self._bounds.columns(columns)), none)
        one = np.zeros(len(frame), np.int64)
        crops = np.stack([cut(frames, frame, corner, self._side) for corner in planes], axis=1)
        noise = np.stack([cut(self._noise[None], one, corner, self._side) for corner in planes], axis=1)
        if self._second is None:
            crops, noise = crops[:, 0], noise[:, 0]
        table = np.asarray(self._engine.run({"counts": crops, "variance": noise})["table"], np.float32)
        said = dict(zip(columns, table.T, strict=True))
        return said if self._bounds is None else said | self._bounds.of(columns, {**place, **said}, crops, noise)

    def _columns(self, said: Mapping[str, Float32], corner: NDArray[np.int64]) -> Columns:
        """Return what is said as columns of the table."""
        camera = self._camera
        factors = {"photons": camera.excess / camera.quantum_efficiency, "background": camera.excess}
        found: Columns = {}
        for name, values in said.items():
            column = name.replace("_px", "_nm")
            if column not in SCHEMA:
                continue  # aberrations are of all molecules together
            factor = self._pixel_nm if name.endswith("_px") else factors.get(name.removeprefix("sigma_"), 1.0)
            at = {"x_px": corner[:, 1], "y_px": corner[:, 0]}.get(name)
            start = 0.0 if at is None else at + self._side / 2
            found[column] = np.asarray((start + values) * factor, SCHEMA[column].dtype)
        return found

    @staticmethod
    def _joined(
        table: Localizations, rows: NDArray[np.int64], found: Columns
    ) -> tuple[Localizations, NDArray[np.bool_]]:  # fmt: skip
        """Return the table with what was found in its rows, and which rows are whole."""
        flags = np.array(table["flags"]) if "flags" in table else np.zeros(len(table), "u4")
        flags[rows] |= np.uint32(READ)
        columns: Columns = {name: np.array(table[name]) for name in table} | {"flags": flags}
        missing = [name for name in found if name not in table and name not in UNREAD]
        for name, values in found.items():
            column = columns.setdefault(name, np.full(len(table), UNREAD.get(name, 0), SCHEMA[name].dtype))
            column[rows] = values
        whole = np.ones(len(table), bool)
        if missing:
            whole[:] = False
            whole[rows] = True
        return Localizations(columns), whole
