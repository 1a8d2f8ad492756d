"""Reader protocol: what a format of result tables must offer."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from models.localizations import Localizations


class Reader(Protocol):
    """Reads the result tables of one program."""

    def recognizes(self, start: bytes) -> bool:
        """Tell by its first bytes (uncompressed) whether a file is of this format."""

    def read(self, path: Path, pixel_size_nm: float | None) -> Localizations:
        """Return the table in our coordinates and frame numbers.

        Parameters
        ----------
        path : Path
            The file.
        pixel_size_nm : float or None
            Camera pixel size for formats that count in pixels; None to take what the file states.

        Raises
        ------
        TableFormatError
            The file is damaged or leaves something open.
        """
