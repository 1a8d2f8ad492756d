"""The localization table as Apache Arrow, on the wire and on disk: one schema, units in the field metadata."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from models.localizations import SCHEMA, Localizations
from stream.errors import TableFormatError


def schema(names: Iterable[str]) -> pa.Schema:
    """Return the Arrow schema of these columns; each field's metadata holds `unit` and `meaning`."""
    return pa.schema([_field(name) for name in names])


def _field(name: str) -> pa.Field:
    column = SCHEMA[name]
    metadata = {"unit": column.unit, "meaning": column.meaning}
    return pa.field(name, pa.from_numpy_dtype(column.dtype), nullable=False, metadata=metadata)


def to_arrow(table: Localizations) -> pa.RecordBatch:
    """Return the table as one Arrow record batch with `schema(table)`; the columns are not copied."""
    return pa.RecordBatch.from_arrays([pa.array(table[name]) for name in table], schema=schema(table))


def from_arrow(batch: pa.RecordBatch) -> Localizations:
    """Return an Arrow record batch as a table; columns are shared where their type is the schema's.

    Raises
    ------
    TableFormatError
        A column that the table does not know, or `frame`, `x_nm` or `y_nm` missing, or a missing value.
    """
    try:
        return Localizations({name: batch.column(name).to_numpy() for name in batch.schema.names})
    except (ValueError, pa.ArrowInvalid) as error:
        raise TableFormatError(
            f"not a table of localizations: {error}",
            limit=f"columns are {', '.join(SCHEMA)}, without missing values",
            remedy="rename or drop the other columns",
        ) from error


def to_ipc(table: Localizations) -> bytes:
    """Return the table as an Arrow IPC stream of its schema and one record batch."""
    buffer = pa.BufferOutputStream()
    batch = to_arrow(table)
    with pa.ipc.new_stream(buffer, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(buffer.getvalue())


def from_ipc(payload: bytes) -> Localizations:
    """Return the table in an Arrow IPC stream written by `to_ipc`.

    Raises
    ------
    TableFormatError
        Not an Arrow IPC stream of one record batch, or not a table of localizations.
    """
    try:
        with pa.ipc.open_stream(payload) as reader:
            batch = reader.read_next_batch()
    except (pa.ArrowException, StopIteration, OSError) as error:
        raise TableFormatError(
            f"{len(payload)} bytes are not a table: {error}", limit="one Arrow IPC stream with one record batch"
        ) from error
    return from_arrow(batch)
