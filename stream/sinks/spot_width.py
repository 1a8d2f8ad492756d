"""The width of a spot, for formats that ask for one with every localization.

Decision: where no width was fitted, the rig's width of the PSF is written, one pixel if the rig has none.
Context: a network fits no width, but Picasso and its import of ThunderSTORM's lists need the column.
Consequence: the column tells nothing about the single spot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.localizations import Localizations
from stream.sink import RunInfo


def spot_sigma_nm(table: Localizations, run: RunInfo) -> NDArray[np.float32]:
    """Return the standard deviation of each spot in nm, (n,) float32."""
    usual = np.float32(run.rig.get("optics", {}).get("psf_sigma_nm") or run.pixel_size_nm)
    if "psf_sigma_nm" not in table:
        return np.full(len(table), usual, np.float32)
    fitted = np.asarray(table["psf_sigma_nm"], np.float32)
    return np.where(np.isfinite(fitted), fitted, usual)
