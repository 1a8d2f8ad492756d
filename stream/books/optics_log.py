"""What was found of the pupil, one line of JSON for each estimate, as it is published."""

from __future__ import annotations

from pathlib import Path

from stream.books.json_lines import PHASE, JsonLines
from stream.stages.optics_report import OpticsReport


class OpticsLog:
    """Appends to `phase.jsonl` in the folder of a run; there is none where nothing was estimated.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._log = JsonLines(folder / PHASE)

    def add(self, report: OpticsReport) -> None:
        """Write an estimate. Raises StorageFault if that fails; what was written before stays readable."""
        waves = [] if report.waves is None else [round(float(c), 5) for c in report.waves]
        self._log.add({**report.facts, "zernike_waves": waves})
