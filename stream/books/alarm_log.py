"""When alarms were raised and cleared, one line of JSON each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stream.sinks.storage import writing

NAME = "alarms.jsonl"


class AlarmLog:
    """Appends to `alarms.jsonl` in the folder of a run; there is none where nothing was raised.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def add(self, line: Mapping[str, Any]) -> None:
        """Write a line. Raises StorageFault if that fails; what was written before stays readable."""
        with writing(self._path, kept="What was written is safe."), self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line, ensure_ascii=False) + "\n")
