"""Which alarms there are, and how patient each is."""

from __future__ import annotations

import shutil
from pathlib import Path

from stream.books import alarms_of_data, alarms_of_run
from stream.books.alarms import Watched

AT_ONCE = 0.0
DATA_S = 6.0
"""Three reports of the statistics."""


def rules(waits: bool, folder: Path) -> dict[str, Watched]:
    """Return the rules by name.

    Parameters
    ----------
    waits : bool
        The source can be made to wait.
    folder : Path
        Of the run: its disk is watched.
    """
    return {
        "lost": Watched(alarms_of_run.lost(), AT_ONCE, AT_ONCE),
        "unaccounted": Watched(alarms_of_run.unaccounted, raise_s=5.0),
        "suspicious": Watched(alarms_of_run.suspicious(), AT_ONCE, AT_ONCE),
        "disk": Watched(alarms_of_run.Disk(lambda: shutil.disk_usage(folder).free), raise_s=10.0),
        "lag": Watched(alarms_of_run.Lag(waits), raise_s=3.0, clear_s=5.0),
        "camera": Watched(alarms_of_run.Silence(), AT_ONCE, AT_ONCE),
        "molecules": Watched(alarms_of_data.molecules, DATA_S, AT_ONCE),
        "density": Watched(alarms_of_data.density, DATA_S),
        "photons": Watched(alarms_of_data.photons, DATA_S),
        "background": Watched(alarms_of_data.background, DATA_S),
        "focus": Watched(alarms_of_data.focus, DATA_S),
        "optics": Watched(alarms_of_data.optics, AT_ONCE),
        "guard": Watched(alarms_of_data.guard, AT_ONCE, AT_ONCE),
    }
