"""Writes the truth of simulated frames in the format of the SMLM challenge: nm, frame from 1."""

from __future__ import annotations

from pathlib import Path

from models.localizations import Localizations
from stream.errors import OutputError

HEADER = "Ground-truth,frame,xnano,ynano,znano,intensity \n"


class TruthWriter:
    """Appends the emitters of each frame to a CSV file.

    Raises
    ------
    OutputError
        The file exists or cannot be created.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("x", encoding="ascii")
        except OSError as error:
            raise OutputError(f"cannot write truth to {path}: {error.strerror}", remedy="name a new file") from error
        self._file.write(HEADER)
        self._count = 0

    def write(self, truth: Localizations) -> None:
        """Append the emitters of one or more frames; columns `frame`, `x_nm`, `y_nm`, `z_nm`, `photons`."""
        columns = (truth[name] for name in ("x_nm", "y_nm", "z_nm", "photons"))
        for frame, x, y, z, photons in zip(truth["frame"] + 1, *columns, strict=True):
            self._count += 1
            self._file.write(f"{self._count},{frame},{x:.3f},{y:.3f},{z:.3f},{photons:.2f}\n")

    def close(self) -> None:
        """Finish the file."""
        self._file.close()
