"""What every `livesmlm evaluate` keeps: `evaluation.json`."""

from __future__ import annotations

import json
from pathlib import Path

from stream.sinks.storage import creating


def keep(results: object, out: Path | None) -> str:
    """Write `evaluation.json` into a folder, if one is given; return the text, in which nothing that is undefined is.

    Parameters
    ----------
    results : lists and mappings of plain scalars
    out : Path or None
        Made if it is not there.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    text = json.dumps(json.loads(json.dumps(results), parse_constant=lambda _: None), indent=1)
    if out is not None:
        with creating(out):
            out.mkdir(parents=True, exist_ok=True)
            (out / "evaluation.json").write_text(text + "\n")
    return text
