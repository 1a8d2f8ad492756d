"""Writes the truth of simulated frames in the format of the SMLM challenge: nm, frame from 1; colours behind it."""

from __future__ import annotations

from pathlib import Path

from models.localizations import Localizations
from stream.errors import OutputError

HEADER = "Ground-truth,frame,xnano,ynano,znano,intensity \n"


class TruthWriter:
    """Appends the emitters of each frame to a CSV file.

    Parameters
    ----------
    path : Path
    colours : bool
        Write the column `channel` too.

    Raises
    ------
    OutputError
        The file exists or cannot be created.
    """

    def __init__(self, path: Path, colours: bool = False) -> None:
        try:
            self._file = path.open("x", encoding="ascii")
        except OSError as error:
            raise OutputError(f"cannot write truth to {path}: {error.strerror}", remedy="name a new file") from error
        self._file.write(HEADER.replace(" \n", ",channel \n") if colours else HEADER)
        self._count, self._colours = 0, colours

    def write(self, truth: Localizations) -> None:
        """Append the emitters of one or more frames; columns `frame`, `x_nm`, `y_nm`, `z_nm`, `photons`, `channel`."""
        columns = (truth[name] for name in ("x_nm", "y_nm", "z_nm", "photons"))
        channels = [f",{channel}" for channel in truth["channel"]] if self._colours else [""] * len(truth["frame"])
        for frame, x, y, z, photons, channel in zip(truth["frame"] + 1, *columns, channels, strict=True):
            self._count += 1
            self._file.write(f"{self._count},{frame},{x:.3f},{y:.3f},{z:.3f},{photons:.2f}{channel}\n")

    def close(self) -> None:
        """Finish the file."""
        self._file.close()
