"""Read a table of localizations, whatever program wrote it."""

from __future__ import annotations

from pathlib import Path

from models.localizations import Localizations
from stream.errors import TableFormatError
from stream.readers import READERS
from stream.readers.csv_list import header_names, open_unpacked

_START_BYTES = 1 << 16


def read_table(path: Path, pixel_size_nm: float | None = None) -> Localizations:
    """Read a result table; its format is told by its content.

    Parameters
    ----------
    path : Path
        A file in one of the formats of `READERS`; text lists may be packed with gzip.
    pixel_size_nm : float or None
        Camera pixel size for lists in pixels; None to take what the file states.

    Returns
    -------
    Localizations
        In nm from the outer corner of the first pixel, frames from 0; only the columns that the file has.

    Raises
    ------
    TableFormatError
        No such file, an unknown format, or a damaged file.
    """
    try:
        with open_unpacked(path) as file:
            start = file.read(_START_BYTES)
    except (OSError, EOFError) as error:
        raise TableFormatError(f"{path} cannot be read: {error}", remedy="Check the name of the file.") from error
    for reader in READERS.values():
        if reader.recognizes(start):
            return reader.read(path, pixel_size_nm)
    seen = start[:8].hex(" ") if b"\0" in start else ", ".join(header_names(start))[:200]
    raise TableFormatError(
        f"{path} is in no format that is known; it starts with: {seen}",
        limit=f"Known are: {', '.join(READERS)}.",
        remedy="Export the list in one of these formats.",
    )
