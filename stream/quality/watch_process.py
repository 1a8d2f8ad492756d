"""The process that measures the picture, so that the frames never wait for it.

with watch_process.start(field, settings) as process:
if process.idle:
process.send(rows, estimate=True)
answer = process.poll()    # None while it works
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Any

from stream.quality.settings import ResolutionSettings
from stream.quality.watch import Field, Rows, Watch
from stream.worker import Worker, work


class WatchProcess(Worker[dict[str, Any]]):
    """It answers with the header of an estimate, if one was asked for."""

    def send(self, rows: Rows, estimate: bool) -> None:
        """Hand over localizations, and ask for an estimate or not; only while it is idle. Raises WorkerDied."""
        self._hand_over((rows, estimate))


def start(field: Field, settings: ResolutionSettings) -> WatchProcess:
    """Start the process."""
    return WatchProcess("livesmlm-resolution", "measures the resolution", main, field, settings)


def main(field: Field, settings: ResolutionSettings, connection: Connection) -> None:
    """Be the process."""
    watch = Watch(field, settings)

    def take(asked: tuple[Rows, bool]) -> dict[str, Any] | None:
        rows, estimate = asked
        watch.take(rows)
        return watch.estimate() if estimate else None

    work(connection, take)
