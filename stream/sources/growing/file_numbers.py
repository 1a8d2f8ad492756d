"""The numbers in the names of files: which of them counts frames."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileNumber:
    """One number in the names of a set of files, which are the same otherwise.

    Parameters
    ----------
    before, after : str
        The rest of the name.
    """

    before: str
    after: str

    def of(self, name: str) -> int | None:
        """Return the number in a name; None if the rest of it is another."""
        digits = name[len(self.before) : len(name) - len(self.after)]
        fits = name.startswith(self.before) and name.endswith(self.after) and re.fullmatch(r"[0-9]+", digits)
        return int(digits) if fits else None


def counting_number(names: Sequence[str]) -> FileNumber | None:
    """Return the one number that is not the same in all names; None where there is no such number, or several.

    A single name tells only if there is a single number in it.

    Examples
    --------
    >>> counting_number(["run3_t009.tif", "run3_t010.tif"])
    FileNumber(before='run3_t', after='.tif')
    """
    found = re.finditer(r"[0-9]+", names[0])
    candidates = [FileNumber(names[0][: match.start()], names[0][match.end() :]) for match in found]
    fitting = [candidate for candidate in candidates if all(candidate.of(name) is not None for name in names)]
    return fitting[0] if len(fitting) == 1 else None
