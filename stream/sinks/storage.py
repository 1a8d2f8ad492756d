"""What the operating system says when a file cannot be made or written, in the words of LiveSMLM."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stream.errors import OutputError, StorageFault


@contextmanager
def creating(path: Path) -> Iterator[None]:
    """Translate what goes wrong while `path` is created.

    Raises
    ------
    OutputError
        The file exists already, its folder does not, or it cannot be written.
    """
    try:
        yield
    except FileExistsError as error:
        raise OutputError(
            f"{path} exists already",
            limit="A run never writes over the results of another one.",
            remedy="Choose another output folder, or move the old one away.",
        ) from error
    except OSError as error:
        raise OutputError(
            f"{path} cannot be created: {error.strerror or error}",
            limit=f"The output folder must exist and be writable. {_room(path.parent)}",
            remedy="Choose another output folder or disk.",
        ) from error


@contextmanager
def writing(path: Path, kept: str) -> Iterator[None]:
    """Translate what goes wrong while `path` is written.

    Parameters
    ----------
    path : Path
        The file.
    kept : str
        What of the run is safe all the same; ends the message.

    Raises
    ------
    StorageFault
        The disk is full, or the file or its folder is gone.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:  # h5py turns some errors of the operating system into RuntimeError
        raise StorageFault(
            f"{path} could not be written: {getattr(error, 'strerror', None) or error}",
            limit=_room(path.parent),
            remedy=f"Free space or choose another disk, then start again. {kept}",
        ) from error


def _room(folder: Path) -> str:
    if not folder.is_dir():
        return f"The folder {folder} is gone."
    return f"The disk of {folder} has {shutil.disk_usage(folder).free / 1e6:.1f} MB left."


def append(path: Path, block: bytes) -> None:
    """Append the whole block to an existing file, or nothing of it.

    Raises
    ------
    OSError
        The file is gone or the disk is full; the file is as long as before.
    """
    with path.open("r+b", buffering=0) as file:
        end = file.seek(0, os.SEEK_END)
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            file.truncate(end)
            raise
