"""Where each frame lies in an acquisition of several dimensions: one line of JSON for each frame that says so."""

from __future__ import annotations

import json
from pathlib import Path

from stream.errors import StorageFault
from stream.frame import Frame

NAME = "axes.jsonl"


class AxesLog:
    """Appends to `axes.jsonl` in the folder of a run; there is none where no frame has axes.

    Decision: axes go past the ring. Context: they have names and values of any length, and no analysis asks for them.
    Consequence: a frame's index joins them with the table, also after a crash.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._pending: list[str] = []

    def note(self, frame: Frame) -> None:
        """Keep the axes of a frame until they are saved."""
        if frame.axes:
            self._pending.append(json.dumps({"frame": frame.index, "axes": dict(frame.axes)}))

    def save(self) -> None:
        """Write what was noted. Raises StorageFault if that fails; what was written before stays readable."""
        if not self._pending:
            return
        try:
            with self._path.open("a") as log:
                log.writelines(f"{line}\n" for line in self._pending)
        except OSError as error:
            raise StorageFault(
                f"cannot write {self._path}: {error.strerror}",
                remedy="free space on the disk; what was written is safe",
            ) from error
        finally:
            self._pending.clear()
