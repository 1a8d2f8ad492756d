"""How a run ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stream.errors import LiveSMLMError


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Parameters
    ----------
    state : {"finished", "interrupted", "fault"}
    health : dict
        The last `health` message.
    error : LiveSMLMError or None
        What ended it.
    """

    state: str
    health: dict[str, Any]
    error: LiveSMLMError | None

    @property
    def exit_code(self) -> int:
        """0 fine, 2 wrong input, 3 ended with loss or a fault."""
        if self.error is not None:
            return self.error.exit_code
        totals = self.health["ledger"]
        return 3 if totals["skipped"] or totals["missing"] or totals["refused"] or totals["unaccounted"] else 0
