"""Where the page takes its run from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Origin:
    """A run that is published.

    Parameters
    ----------
    address, snapshot_address : str
        Where it publishes, and where it answers requests.
    certificate : Path or None
        The CURVE certificate that it is published with, if it is.
    """

    address: str
    snapshot_address: str
    certificate: Path | None = None
