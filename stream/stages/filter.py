"""Localizations that are too uncertain, too dim, of a doubtful colour or fit too badly are left out, and counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations
from stream.config import FilterSettings
from stream.frame import Batch
from stream.stages.stage import Located, Stage


class Filter:
    """A stage whose answers are filtered.

    Parameters
    ----------
    stage : Stage
    settings : FilterSettings
    """

    def __init__(self, stage: Stage, settings: FilterSettings) -> None:
        self._stage = stage
        self._most = {
            "sigma_x_nm": settings.max_sigma_nm, "sigma_y_nm": settings.max_sigma_nm,
            "sigma_z_nm": settings.max_sigma_z_nm, "goodness": settings.max_goodness,
        }  # fmt: skip
        self._least = {
            "photons": settings.min_photons, "channel_probability": settings.min_channel_probability
        }  # fmt: skip

    @property
    def look_ahead_frames(self) -> int:
        """How many of the newest frames may now lack their answer."""
        return self._stage.look_ahead_frames

    def process(self, batch: Batch) -> Located:
        """Take frames in order; return what is known by now."""
        return self._filtered(self._stage.process(batch))

    def flush(self) -> Located:
        """Return the answer for the newest frames."""
        return self._filtered(self._stage.flush())

    def _filtered(self, located: Located) -> Located:
        keep = self._keep(located.table)
        return replace(located, table=located.table.where(keep), left_out=located.left_out + int((~keep).sum()))

    def _keep(self, table: Localizations) -> NDArray[np.bool_]:
        keep = np.ones(len(table), bool)
        for name, most in self._most.items():
            if most is not None and name in table:
                keep &= ~(np.asarray(table[name]) > most)
        for name, least in self._least.items():
            if least is not None and name in table:
                keep &= ~(np.asarray(table[name]) < least)
        return keep
