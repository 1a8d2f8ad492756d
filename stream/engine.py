"""Engine protocol: runs one exported model on one device.

An engine knows nothing of frame numbers or nanometres: arrays in, arrays out, named as in the model's card. A plan is
what a localizer gets of it: memory for frames of one shape, places for batches under way, and the features that go
from batch to batch. To add an engine: a class that satisfies `Engine`, and one line in `ENGINES`
(`stream/engines/__init__.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from export.card import Card
from stream.frame import UInt16Array

Arrays = dict[str, NDArray[np.generic]]
Run = Callable[[Mapping[str, NDArray[np.generic]]], Arrays]
"""`Engine.run`."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What a batch came to.

    Parameters
    ----------
    frame : (k,) int64
        Position in the batch minus one: 0 is the last frame of the batch before.
    table : (k, columns) float32
        As the card's `columns`.
    """

    frame: NDArray[np.int64]
    table: NDArray[np.float32]


class Plan(Protocol):
    """A localizer, ready for batches of frames of one shape, which follow one another."""

    slots: int
    """Batches that may be under way at once."""

    def submit(self, frames: UInt16Array, anew: bool) -> int:
        """Take a batch and return the slot it is in, at once: nothing is computed yet, nothing is waited for.

        Parameters
        ----------
        frames : (t, y, x) uint16
            Raw camera counts in ADU; copied. At most `slots` batches may be under way.
        anew : bool
            The first of these frames has none before it, and stands in for it.
        """

    def wait(self, slot: int) -> Rows:
        """Return what became of the batch in a slot, which is free afterwards; batches are asked for in order.

        Rows are of the frame before the batch and of all frames but its last; if it began anew, of all but its last.

        Raises
        ------
        EngineFault
            Inference failed, or more was found than the model's table has rows.
        """


class Engine(Protocol):
    """Runs one exported model."""

    @property
    def card(self) -> Card:
        """What the model is."""

    @property
    def device(self) -> str:
        """Where it really runs, for people: runtime, version and device."""

    @property
    def remarks(self) -> list[str]:
        """What people should hear of, each once: whoever tells it takes it out."""

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Compute the outputs of the card from its inputs. Raises EngineFault if inference fails."""

    def plan(self, maps: Arrays) -> Plan:
        """Make ready for frames of one shape; only for localizers. The plan made before is done with.

        Parameters
        ----------
        maps : dict
            All inputs of the card but `frames` and `context`.
        """

    def close(self) -> None:
        """Free the device's memory. May be called more than once."""
