"""A structure from a file: positions of emitters that somebody measured or made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COLUMNS = ("x_nm", "y_nm", "z_nm")


def read_structure(path: Path) -> NDArray[np.float64]:
    """Return positions (n, 3) in nm: x, y from the corner of the field, z from the focal plane, 0 if there is none.

    `.npy`: (n, 2) or (n, 3). `.csv`: a header with x_nm, y_nm and perhaps z_nm, in any order.

    Raises
    ------
    ValueError
        No such file, or it holds something else.
    """
    try:
        positions = np.load(path, allow_pickle=False) if path.suffix == ".npy" else _csv(path)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"structure {path} cannot be read: {error}") from error
    if positions.ndim != 2 or positions.shape[1] not in (2, 3) or not len(positions):
        raise ValueError(f"structure {path} has shape {positions.shape}: (n, 2) or (n, 3) positions in nm are needed")
    if not np.isfinite(positions).all():
        raise ValueError(f"structure {path}: {int((~np.isfinite(positions)).any(1).sum())} positions are not finite")
    z = positions[:, 2] if positions.shape[1] == 3 else np.zeros(len(positions))
    return np.column_stack((positions[:, :2], z)).astype(float)


def _csv(path: Path) -> NDArray[np.float64]:
    with path.open(encoding="utf-8") as file:
        names = [name.strip().strip('"') for name in file.readline().split(",")]
    missing = [name for name in COLUMNS[:2] if name not in names]
    if missing:
        raise ValueError(f"the header {names} lacks {', '.join(missing)}")
    chosen = [names.index(name) for name in COLUMNS if name in names]
    return np.loadtxt(path, delimiter=",", skiprows=1, usecols=chosen, ndmin=2)
