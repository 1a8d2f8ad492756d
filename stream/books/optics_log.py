"""What was found of the pupil, one line of JSON for each estimate, as it is published."""

from __future__ import annotations

import json
from pathlib import Path

from stream.errors import StorageFault
from stream.stages.optics_report import OpticsReport

NAME = "phase.jsonl"


class OpticsLog:
    """Appends to `phase.jsonl` in the folder of a run; there is none where nothing was estimated.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    def add(self, report: OpticsReport) -> None:
        """Write an estimate. Raises StorageFault if that fails; what was written before stays readable."""
        waves = [] if report.waves is None else [round(float(c), 5) for c in report.waves]
        try:
            with self._path.open("a") as log:
                log.write(json.dumps({**report.facts, "zernike_waves": waves}) + "\n")
        except OSError as error:
            raise StorageFault(
                f"cannot write {self._path}: {error.strerror}",
                remedy="free space on the disk; what was written is safe",
            ) from error
