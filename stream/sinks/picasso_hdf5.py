"""Picasso HDF5: `locs.hdf5` and its sidecar `locs.yaml`; can be followed while it grows, and outlives `kill -9`.

A row that Picasso would drop on loading (NaN, outside of the frame, negative) is not written but counted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.localizations import Localizations
from stream.sink import RunInfo
from stream.sinks.hdf5_superblock import reserve, trim
from stream.sinks.picasso_info import Progress, as_json, as_yaml, steps
from stream.sinks.picasso_rows import filled, kept_by_picasso, row_dtype, to_rows
from stream.sinks.storage import creating, writing

# With "v110" SWMR works and PyTables (older Picasso's reader) opens the closed file; it cannot open "latest".
_LIBVER = ("v110", "v110")
_CHUNK_ROWS = 4096
_RESERVED_AT_ONCE = 4 << 20  # bytes
_OVERHEAD = 1 << 20  # bytes: more than HDF5 needs beside the rows themselves for one write
_METADATA_GROWTH = 256  # bytes by which the JSON may grow during the run
_KEPT = "The localizations written before are in locs.hdf5."


class PicassoHdf5:
    """Writes `locs.hdf5` and `locs.yaml`.

    Both are up to date after each `write`. `h5py.File(path, "r")` reads what was written so far, at any time and also
    after the process was killed; `h5py.File(path, "r", swmr=True)` follows the file while it grows.
    """

    def __init__(self) -> None:
        self._progress = Progress()
        self._reserved = 0
        self._file: Any = None
        self._locs: Any = None
        self._metadata: Any = None

    @property
    def rejected(self) -> int:
        """Number of rows that were not written because Picasso would drop them."""
        return self._progress.rejected

    def open(self, run: RunInfo) -> None:
        """Create both files. Raises OutputError if one exists or cannot be created."""
        import h5py

        self._run = run
        self._path = run.folder / "locs.hdf5"
        with creating(self._sidecar):
            self._sidecar.touch(exist_ok=False)
        with creating(self._path):
            # A lock would keep out readers until SWMR starts, and `reserve` on Windows; "x" keeps out other writers.
            self._file = h5py.File(self._path, "x", libver=_LIBVER, locking=False)
            room = len(as_json(steps(run, self._progress))) + _METADATA_GROWTH
            self._metadata = self._file.create_dataset("metadata", (), f"S{room}")
            self._file.flush()
            self._reserve(0)
            self._tell_progress()

    def write(self, table: Localizations, first: int, last: int) -> None:
        """Append the table and flush. Raises StorageFault."""
        self._progress.frames = max(self._progress.frames, last + 1)
        with writing(self._path, _KEPT):
            self._path.stat()  # a deleted file can be written to, but nobody would ever see it
            if len(table):
                self._append(table)
            self._tell_progress()

    def skipped(self, first: int, last: int, reason: str) -> None:
        """Count the frames; `ledger.json` holds the reasons."""
        self._progress.skipped += last - first + 1
        self._progress.frames = max(self._progress.frames, last + 1)

    def close(self) -> None:
        """Complete both files. Raises StorageFault."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with writing(self._path, _KEPT):
            try:
                if self._locs is None:
                    file.create_dataset("locs", (0,), row_dtype())
                self._tell_progress()
            finally:
                file.close()
            trim(self._path)

    @property
    def _sidecar(self) -> Path:
        return self._path.with_suffix(".yaml")

    def _append(self, table: Localizations) -> None:
        rows = to_rows(table, self._run)
        kept = rows[kept_by_picasso(rows, self._run)]
        if self._locs is None:
            self._start(rows.dtype)
            self._progress.filled = filled(table)
        self._reserve(kept.nbytes)
        start = len(self._locs)
        self._locs.resize((start + len(kept),))
        self._locs[start:] = kept
        self._locs.flush()
        self._progress.rejected += len(rows) - len(kept)

    def _start(self, dtype: Any) -> None:
        """Create the list and switch SWMR on, after which nothing can be created."""
        self._locs = self._file.create_dataset("locs", (0,), dtype, maxshape=(None,), chunks=(_CHUNK_ROWS,))
        self._file.flush()
        self._file.swmr_mode = True
        self._reserved = 0

    def _reserve(self, growth: int) -> None:
        """Make sure that the file has room for `growth` bytes of rows."""
        end = self._file.id.get_filesize() + growth + _OVERHEAD
        if end > self._reserved:
            reserve(self._path, end + _RESERVED_AT_ONCE)
            self._reserved = end + _RESERVED_AT_ONCE

    def _tell_progress(self) -> None:
        info = steps(self._run, self._progress)
        self._metadata[...] = as_json(info).ljust(self._metadata.dtype.itemsize)
        self._metadata.flush()
        with self._sidecar.open("r+b", buffering=0) as sidecar:
            sidecar.write(as_yaml(info))  # in place: it never gets shorter, as its numbers only grow
