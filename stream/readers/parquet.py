"""Our own Parquet archive: `table.parquet`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from models.localizations import SCHEMA, Localizations, concatenate, empty
from stream.errors import TableFormatError


def table_parts(path: Path) -> Iterator[Localizations]:
    """Yield the table in parts, at least one, of whole frames if it is one of ours: one of any length can be read.

    Raises
    ------
    TableFormatError
        The file is damaged or incomplete.
    """
    import pyarrow as pa
    from pyarrow import parquet

    from stream.links.arrow import from_arrow

    try:
        with parquet.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if name in SCHEMA]
            if not file.metadata.num_rows:
                yield empty(names)
            for group in range(file.num_row_groups):
                yield from_arrow(file.read_row_group(group, columns=names, use_threads=False))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> TableFormatError:
    return TableFormatError(
        f"{path} cannot be read: {error}",
        limit="A Parquet file is complete only after its run has ended.",
        remedy="Use locs.hdf5 of the same run.",
    )


class ParquetReader:
    """Reads Parquet files with our column names; other columns are left out."""

    def recognizes(self, start: bytes) -> bool:
        """Tell whether the file is Parquet."""
        return start.startswith(b"PAR1")

    def read(self, path: Path, pixel_size_nm: float | None) -> Localizations:
        """Return the table; the pixel size does not matter. Raises TableFormatError."""
        return concatenate(table_parts(path))
