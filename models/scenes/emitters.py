"""Where the emitters of a scene are, and which colour each is of; each colour has filaments or rings of its own."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.scenes.structure_file import read_structure
from models.scenes.structures import STRUCTURES, Field


class Emitters(NamedTuple):
    """All emitters of a scene.

    Attributes
    ----------
    positions_nm : (n, 3) float64
        x, y, z before drift.
    channel : (n,) int64
        Which colour, from 0; all 0 where there is one.
    """

    positions_nm: NDArray[np.float64]
    channel: NDArray[np.int64]


def emitters(structure: str, count: int, colours: int, field: Field, rng: np.random.Generator) -> Emitters:
    """Return about as many emitters of each colour; of a file's positions each colour has every n-th.

    Parameters
    ----------
    structure : str
        A key of `STRUCTURES`, or the path of a file of positions.
    count : int
        Of all colours together; not used for a file.
    colours : int
    field : Field
    rng : numpy.random.Generator
    """
    if structure not in STRUCTURES:
        positions = read_structure(Path(structure))
        return Emitters(positions, np.arange(len(positions)) % colours)
    each = max(1, round(count / colours))
    parts = [STRUCTURES[structure](each, field, rng) for _ in range(colours)]
    return Emitters(np.concatenate(parts), np.repeat(np.arange(colours), each))
