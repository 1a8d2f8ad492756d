"""How many molecules lie at one end of what was trained, counted until it is too many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.guard.coverage.edges import Edge
from models.guard.cusum import Share
from models.guard.verdict import Finding, Word

RECENT = 0.1


class EdgeShare(Share):
    """Counts molecules at one end.

    Parameters
    ----------
    edge : Edge
    tests : int
        That share one false alarm in ten hours.
    """

    __slots__ = ("_all", "_beyond", "edge")

    def __init__(self, edge: Edge, tests: int) -> None:
        super().__init__(edge.usual, edge.unusual, tests)
        self.edge, self._beyond, self._all = edge, 0.0, 0.0

    def take(self, values: NDArray[np.float64]) -> None:
        """Take the values (n,) of independent molecules; what is not finite is left out."""
        known = self.edge.sign * values[np.isfinite(values)]
        self.count(int((known >= self.edge.sign * self.edge.counted).sum()), len(known))
        self._beyond += int((known > self.edge.sign * self.edge.end).sum()) - RECENT * self._beyond
        self._all += len(known) - RECENT * self._all

    def finding(self) -> Finding:
        """Say how many there are, and whether they are beyond the end or pile up before it."""
        edge, share, beyond = self.edge, self.share, self._beyond / max(self._all, 1.0)
        word: Word = "outside" if share > edge.much else "drifting"
        if beyond > share / 2 or edge.counted == edge.end:
            more = "more" if edge.sign > 0 else "less"
            cause = f"{beyond:.0%} of the molecules have {more} than {edge.end:,.5g} {edge.unit}"
        else:
            ends = " to ".join(f"{value:,.3g}" for value in sorted((edge.counted, edge.end)))
            cause = f"{share:.0%} of the molecules pile up at {ends} {edge.unit}, where those beyond are drawn to"
        return Finding(
            edge.name, word, f"{edge.problem}: {cause}; the training ends there", edge.remedy,
            share / edge.usual, {"share": share, "share_beyond": beyond, "end": edge.end},
        )  # fmt: skip
