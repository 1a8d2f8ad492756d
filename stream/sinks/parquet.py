"""Parquet: `table.parquet`, the archive of a run: every column of the table, units in the field metadata.

Row groups hold whole frames in order, so that a reader skips the groups whose frame range it does not want.

Decision: rows are written to `table.parquet.part`, which becomes `table.parquet` when the run ends.
Context: a Parquet file cannot be read before its footer is written.
Consequence: after `kill -9` the list that survives is `locs.hdf5`; it has not all columns.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models.localizations import Localizations, concatenate
from stream.sink import RunInfo
from stream.sinks.storage import creating, writing

_ROWS_PER_GROUP = 1 << 16
_KEPT = "The localizations written before are in the other files of the run."


class Parquet:
    """Writes a table; complete after `close`.

    Parameters
    ----------
    name : str
        Of the file in the output folder.
    """

    def __init__(self, name: str = "table.parquet") -> None:
        self._name = name
        self._waiting: list[Localizations] = []
        self._frames: tuple[int, int] | None = None
        self._skipped = 0
        self._writer: Any = None
        self._is_open = False
        self._is_broken = False

    def open(self, run: RunInfo) -> None:
        """Create the file. Raises OutputError if it exists or cannot be created."""
        self._run = run
        self._path = run.folder / self._name
        with creating(self._path):
            self._path.touch(exist_ok=False)
            self._path.rename(self._part)
        self._is_open = True

    def write(self, table: Localizations, first: int, last: int) -> None:
        """Take the table; it is written with the next row group. Raises StorageFault."""
        self._frames = (first if self._frames is None else self._frames[0], last)
        if len(table):
            self._waiting.append(table)
        with writing(self._path, _KEPT):
            self._part.stat()  # a deleted file can be written to, but nobody would ever see it
            if sum(map(len, self._waiting)) >= _ROWS_PER_GROUP:
                self._write_group()

    def skipped(self, first: int, last: int, reason: str) -> None:
        """Count the frames; `ledger.json` holds the reasons."""
        self._skipped += last - first + 1

    def close(self) -> None:
        """Write what waits and the footer, and give the file its name. Raises StorageFault.

        After a fault the file cannot be completed and keeps the ending `.part`.
        """
        if not self._is_open:
            return
        self._is_open = False
        if self._is_broken:
            self._writer.close()
            return
        with writing(self._path, _KEPT):
            if self._waiting or self._writer is None:
                self._write_group()
            self._writer.add_key_value_metadata({"livesmlm": json.dumps(self._about())})
            self._writer.close()
            self._part.rename(self._path)

    @property
    def _part(self) -> Path:
        return self._path.with_suffix(".parquet.part")

    def _write_group(self) -> None:
        from pyarrow import parquet

        from stream.links.arrow import to_arrow

        rows = to_arrow(concatenate(self._waiting))
        if self._writer is None:
            self._writer = parquet.ParquetWriter(self._part, rows.schema, compression="zstd")
        self._is_broken = True  # unless the next line succeeds
        self._writer.write_batch(rows)
        self._is_broken = False
        self._waiting = []

    def _about(self) -> dict[str, Any]:
        run = self._run
        return {
            "run_id": run.run_id,
            "pixel_size_nm": run.pixel_size_nm,
            "frames": self._frames,
            "skipped_frames": self._skipped,
            "rig": run.rig,
            "card": run.card,
            "versions": run.versions,
        }
