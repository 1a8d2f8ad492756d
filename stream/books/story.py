"""What was published of a run beside tables and pictures, so that a finished run can be seen as it was while it ran.

    story.jsonl   one message a line: {"topic", "header", "payload" (base64)}

`run_s` of a header is when it was published, in seconds since the run began.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stream.errors import StorageFault, TableFormatError
from stream.links.messages import pack_header
from stream.sinks.storage import writing

NAME = "story.jsonl"
EVERY_S = {
    "start": 0.0, "health": 10.0, "statistics": 10.0, "phase": 10.0, "psf": 300.0, "guard": 10.0, "residual": 300.0,
    "drift": 300.0, "resolution": 10.0, "traces": 60.0, "action": 0.0, "end": 0.0,
}  # fmt: skip
"""The topics that are kept: beside the first and the last message one in so many seconds. All others are drawn again
from the table, or too large."""
KEPT = "The localizations written before are safe and readable."


class Line(NamedTuple):
    """One message.

    Parameters
    ----------
    topic : str
    header : dict
    payload : bytes
    """

    topic: str
    header: dict[str, Any]
    payload: bytes


class Story:
    """Writes `story.jsonl` while a run is published.

    Decision: a story that cannot be written is given up. Context: it is written whenever something is published, also
    while a run on a full disk closes its tables. Consequence: it ends no run and keeps nothing from being closed.

    Parameters
    ----------
    folder : Path
        Of the run; exists.
    tell : callable
        Told once, in words, if nothing more can be kept.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self._path, self._tell, self._is_whole = folder / NAME, tell, True
        self._next_s: dict[str, float] = {}
        self._newest: dict[str, Line] = {}

    def keep(self, topic: str, header: Mapping[str, Any], payload: bytes) -> None:
        """Take a message that is published."""
        if topic not in EVERY_S or not self._is_whole:
            return
        line, now_s = Line(topic, dict(header), payload), header["run_s"]
        if now_s < self._next_s.get(topic, 0.0):
            self._newest[topic] = line
            return
        self._newest.pop(topic, None)
        self._next_s[topic] = now_s + EVERY_S[topic]
        self._write([line])

    def close(self) -> None:
        """Write the last message of each topic. May be called more than once."""
        left = sorted(self._newest.values(), key=lambda line: line.header["run_s"])
        self._newest = {}
        self._write(left)

    def _write(self, lines: list[Line]) -> None:
        if not lines or not self._is_whole:
            return
        try:
            with writing(self._path, KEPT), self._path.open("a", encoding="utf-8") as file:
                file.writelines(_packed(line) for line in lines)
        except StorageFault as error:
            self._is_whole = False
            self._tell(f"{error.what}: livesmlm view will not show how the run went on")


def _packed(line: Line) -> str:
    payload = base64.b64encode(line.payload).decode()
    return f'{{"topic": "{line.topic}", "header": {pack_header(line.header).decode()}, "payload": "{payload}"}}\n'


def read_story(folder: Path) -> Iterator[Line]:
    """Yield the messages of a run in the order in which they were kept; none if it has no story.

    Raises
    ------
    TableFormatError
        A line is damaged; the last one may be cut short, as a crash leaves it.
    """
    path = folder / NAME
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, text in enumerate(lines, 1):
        try:
            content = json.loads(text)
            yield Line(content["topic"], content["header"], base64.b64decode(content["payload"]))
        except (ValueError, LookupError, TypeError) as error:
            if number == len(lines):
                return
            raise TableFormatError(
                f"line {number} of {path} cannot be read: {error!r}",
                limit="one message of JSON a line",
                remedy="remove the line",
            ) from error
