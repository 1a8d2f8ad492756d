"""Who follows a run in a test."""

from __future__ import annotations


class View:
    """Keeps what it is told; `on_report` is called with each report."""

    def __init__(self, on_report=lambda health: None) -> None:
        self.warnings: list[str] = []
        self._on_report = on_report

    def say(self, text: str) -> None: ...

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def report(self, health: dict) -> None:
        self._on_report(health)
