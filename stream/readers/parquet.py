"""Our own Parquet archive: `table.parquet`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from models.localizations import SCHEMA, Localizations
from stream.errors import TableFormatError


class ParquetReader:
    """Reads Parquet files with our column names; other columns are left out."""

    def recognizes(self, start: bytes) -> bool:
        """Tell whether the file is Parquet."""
        return start.startswith(b"PAR1")

    def read(self, path: Path, pixel_size_nm: float | None) -> Localizations:
        """Return the table; the pixel size does not matter. Raises TableFormatError."""
        import pyarrow as pa
        from pyarrow import parquet

        from stream.links.arrow import from_arrow

        try:
            with parquet.ParquetFile(path) as file:
                names = [name for name in file.schema_arrow.names if name in SCHEMA]
                table = file.read(columns=names, use_threads=False)
        except pa.ArrowInvalid as error:
            raise TableFormatError(
                f"{path} cannot be read: {error}",
                limit="A Parquet file is complete only after its run has ended.",
                remedy="Use locs.hdf5 of the same run.",
            ) from error
        return from_arrow(table)


def row_groups(path: Path) -> Iterator[Localizations]:
    """Yield a table of ours part by part, whole frames in order, one in memory at a time. Raises TableFormatError."""
    import pyarrow as pa
    from pyarrow import parquet

    from stream.links.arrow import from_arrow

    try:
        with parquet.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield from_arrow(file.read_row_group(group, use_threads=False))
    except (pa.ArrowException, OSError) as error:
        raise TableFormatError(
            f"{path} cannot be read back: {error}", remedy="check the disk; locs.hdf5 of the same run has the positions"
        ) from error
