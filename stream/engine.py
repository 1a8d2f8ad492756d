"""Engine protocol: runs one exported model on one device.

An engine knows nothing of frames, contexts or nanometres: arrays in, arrays out, named as in the model's card.
To add one: a class that satisfies `Engine`, and one line in `ENGINES` (`stream/engines/__init__.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from export.card import Card

Arrays = dict[str, NDArray[np.generic]]


class Engine(Protocol):
    """Runs one exported model."""

    @property
    def card(self) -> Card:
        """What the model is."""

    @property
    def device(self) -> str:
        """Where it really runs, for people: runtime, version and device."""

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """Compute the outputs of the card from its inputs. Raises EngineFault if inference fails."""

    def close(self) -> None:
        """Free the device's memory. May be called more than once."""
