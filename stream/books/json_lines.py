"""Logs of a run, one line of JSON for each entry; there is none where nothing happened."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stream.sinks.storage import writing

ACTIONS = "actions.jsonl"
"""What was done at the microscope, as it is published."""
ALARMS = "alarms.jsonl"
"""When alarms were raised, changed and cleared."""
GUARD = "guard.jsonl"
"""What the guard said, whenever it said something else."""
PHASE = "phase.jsonl"
"""What was found of the pupil."""
RESOLUTION = "resolution.jsonl"
"""Each estimate of resolution and precision, as it is published."""
KEPT = "What was written is safe."


class JsonLines:
    """Appends to a log.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, entry: Mapping[str, Any]) -> None:
        """Write an entry. Raises StorageFault if that fails; what was written before stays readable."""
        with writing(self._path, KEPT), self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry, ensure_ascii=False) + "\n")
