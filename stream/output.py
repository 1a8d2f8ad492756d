"""The output folder: made once, never written over; small files appear whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stream.errors import OutputError
from stream.sinks.storage import writing


def create(folder: Path) -> None:
    """Make the output folder. Raises OutputError if it exists and holds something, or cannot be made."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(
                f"output folder {folder} exists and is not empty",
                limit="a run never writes over another one",
                remedy=f"name a new folder, for example --out {_next(folder)}",
            )
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"cannot write to output folder {folder}: {error.strerror}", remedy="name a folder that you may write to"
        ) from error


def _next(folder: Path) -> Path:
    number = 2
    while (candidate := folder.with_name(f"{folder.name}-{number}")).exists():
        number += 1
    return candidate


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a small JSON file so that a reader or a crash sees the old one or the new one, whole.

    Raises
    ------
    StorageFault
        The disk is full or gone.
    """
    partial = path.with_name(path.name + ".partial")
    with writing(path, kept="The localizations written before are safe and readable."):
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
