"""What was estimated of resolution and precision, one line of JSON for each estimate, as it is published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stream.errors import StorageFault

NAME = "resolution.jsonl"


class ResolutionLog:
    """Appends to `resolution.jsonl` in the folder of a run; there is none where nothing was estimated.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def add(self, estimate: Mapping[str, Any]) -> None:
        """Write an estimate. Raises StorageFault if that fails; what was written before stays readable."""
        try:
            with self._path.open("a") as log:
                log.write(json.dumps(estimate) + "\n")
        except OSError as error:
            raise StorageFault(
                f"cannot write {self._path}: {error.strerror}",
                remedy="free space on the disk; what was written is safe",
            ) from error
