"""Reading `.npz` archives that somebody else may have written, cut off or misnamed."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray


def read_npz(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an archive by name.

    Raises
    ------
    ValueError
        No such file, no archive, a damaged one, or one that holds pickled objects.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive}
    except (OSError, ValueError, TypeError, EOFError, BadZipFile, zlib.error) as error:  # TypeError: one bare array
        raise ValueError(f"{path} is not a readable .npz archive: {error}") from error
