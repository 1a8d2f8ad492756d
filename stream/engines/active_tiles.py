"""Locating where there is light: an engine around another, for sparse samples and empty fields.

A batch is looked at (`activity.py`), and the network computes rectangles around what shines (`tiles.py`), each with all
pixels that its own depend on. So what it says there is what it says of whole frames, to the bit.

Decision: each batch is computed with the two frames before it in front. Context: what is active changes from batch to
batch, and features are there only of what was computed. Consequence: batches of 32 frames cost 6 % more.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from export.card import Card
from stream.engine import Arrays, Engine, Plan, Rows, Run
from stream.engines.activity import Activity
from stream.engines.before import FramesBefore
from stream.engines.lane import feature_shape
from stream.engines.plans import own_thread
from stream.engines.slots import HostPlan, joined, no_rows
from stream.engines.tiles import Part, parts
from stream.errors import EngineFault, ModelError
from stream.frame import UInt16Array

PLANES = ("offset", "gain", "variance")


class ActiveEngine:
    """Another engine, whose plans leave out where there is no light.

    Parameters
    ----------
    engine : Engine
        Closed with this one.

    Raises
    ------
    ModelError
        Its model's shapes are known beforehand, or its card does not say how far pixels reach.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine, self._thread = engine, own_thread()
        self.card, self.device, self.remarks = engine.card, f"{engine.device}, active tiles", engine.remarks
        if self.card.rows_per_block or not self.card.reach_px:
            self.close()
            raise ModelError(
                f'[engine] tiles = "active" with model {self.card.name!r}',
                limit="a model whose table is as long as what is found, and whose card says reach_px",
                remedy='use tiles = "all", or `livesmlm export` the model with --to onnx',
            )

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Compute the outputs of the card from its inputs: of whole frames."""
        return self._engine.run(inputs)

    def plan(self, maps: Arrays) -> Plan:
        """Make ready for frames of one shape; as `Engine.plan`."""
        return HostPlan(ActiveTiles(self._engine.run, self.card, maps), self._thread)

    def close(self) -> None:
        """Free the other engine."""
        self._thread.shutdown()
        self._engine.close()


class ActiveTiles:
    """Computes batches in order, for a `HostPlan`.

    Parameters
    ----------
    run : callable
        `Engine.run`.
    card : Card
    maps : dict
        As in `Engine.plan`.
    """

    def __init__(self, run: Run, card: Card, maps: Arrays) -> None:
        self._run, self._card, self._maps, self._none = run, card, maps, no_rows(card)
        self._shape, self._activity, self._before = maps["offset"].shape, Activity(maps), FramesBefore()

    def __call__(self, frames: UInt16Array, anew: bool) -> Rows:
        """Return the answer to a batch; as `Plan.submit` and `Plan.wait`, rows in the order of their rectangles."""
        if frames.shape[1:] != self._shape:
            raise EngineFault(
                f"inference failed: frames are {frames.dtype}{frames.shape}", limit=f"(t, y, x) with y, x {self._shape}"
            )
        given = self._before.joined(frames, anew)
        if anew:  # the first frame stands in for the one before it
            given = np.concatenate((given[:1], given))
        reach = self._card.reach_px, self._card.multiple_px
        found = [self._located(given, part) for part in parts(self._activity.of(given), self._shape, *reach)]
        return joined([self._none, *found])

    def _located(self, frames: UInt16Array, core: Part) -> Rows:
        """Return the rows of a rectangle; the first two frames are not told of."""
        y, y_end, x, x_end = core.grown(self._card.reach_px, self._card.multiple_px, self._shape)
        cut = np.s_[y:y_end, x:x_end]
        planes = {name: np.ascontiguousarray(self._maps[name][cut]) for name in PLANES}
        features = feature_shape(self._card, planes["offset"].shape)
        inputs = {**self._maps, **planes, "context": np.zeros(features, np.float32)}
        found = self._run({"frames": np.ascontiguousarray(frames[(slice(None), *cut)]), **inputs})
        table = np.asarray(found["table"], np.float32)
        frame = np.asarray(found["frame"], np.int64) - 2
        columns = self._card.columns.index("x_px"), self._card.columns.index("y_px")
        table[:, columns] += np.array([x, y], np.float32)
        here = (frame >= 0) & _inside(table[:, columns], core, self._shape)
        return Rows(frame[here], table[here])


def _inside(place: NDArray[np.float32], core: Part, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Say which (x, y) are of a rectangle; beyond the edge of the frame there is no other."""
    x, y = place.T
    right, bottom = (end if end < side else np.inf for end, side in ((core.x_end, shape[1]), (core.y_end, shape[0])))
    inside: NDArray[np.bool_] = (x >= (core.x or -np.inf)) & (x < right) & (y >= (core.y or -np.inf)) & (y < bottom)
    return inside
