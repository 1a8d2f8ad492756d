"""What is said of the optics while the camera runs: coefficients, how sure they are, and whether they have changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.aberrations.over_field import Cell
from models.aberrations.watch import Estimate
from models.aberrations.wavefront import NOLL, SHAPE
from models.optics.slices import PsfSlices

NAMED = 3
"""Coefficients that a change is described by."""
REMEDY = "check focus, temperature and immersion; `livesmlm retrieve` on beads tells for sure; z is followed meanwhile"


@dataclass(frozen=True, slots=True)
class OpticsReport:
    """One estimate of the pupil, or why there is none.

    Parameters
    ----------
    waves : (27,) float32 or None
        Noll 2 to 28; 2 to 4 are 0, they are positions.
    facts : dict
        Header of the topic `phase`; `reason` and `remedy` are there if somebody should look, `lost` if nobody watches
        the optics any more.
    psf : PsfSlices or None
        What is fitted with from now on, if that is new.
    """

    waves: NDArray[np.float32] | None
    facts: dict[str, Any]
    psf: PsfSlices | None = None

    @property
    def in_words(self) -> str:
        """One line for people."""
        if "reason" in self.facts:
            return str(self.facts["reason"])
        return f"wavefront as at the start, known to {self.facts['rms_error_waves']:.3f} waves"


def report(
    estimate: Estimate, source: Literal["molecules", "beads", "crops"], frame: int, seconds: float
) -> OpticsReport:
    """Return what is said of an estimate.

    Parameters
    ----------
    estimate : Estimate
    source : {"molecules", "beads", "crops"}
    frame : int
        The newest one that it rests on.
    seconds : float
        That it took to compute.
    """
    facts = {
        "source": source, "frame": frame, "psf_epoch": estimate.epoch, "sigma": _padded(estimate.sigma_waves).tolist(),
        "rms_error_waves": estimate.error_waves, "change_waves": estimate.change_waves,
        "change_sigma_waves": estimate.change_sigma_waves, "chi2": estimate.chi2, "molecules": estimate.molecules,
        "seconds": seconds, "field": [_cell(cell) for cell in estimate.field],
    }  # fmt: skip
    waves = _padded(estimate.waves).astype(np.float32)
    return OpticsReport(waves, facts | (_changed(estimate) if estimate.changed else {}), estimate.psf)


def lost(reason: str) -> OpticsReport:
    """Return that the optics are watched no longer."""
    return OpticsReport(None, {"lost": True, "reason": reason, "remedy": "see what it printed above"})


def _padded(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate((np.zeros(len(NOLL) - len(SHAPE)), shape))


def _cell(cell: Cell) -> dict[str, Any]:
    """Return how a part of the field differs from the whole, Noll 2 to 28 in waves."""
    rounded = {
        name: np.round(_padded(values), 5).tolist()
        for name, values in (("deviation", cell.deviation), ("sigma", cell.sigma_waves))
    }
    return {"x_nm": cell.x_nm, "y_nm": cell.y_nm, "molecules": cell.molecules, **rounded}


def _changed(estimate: Estimate) -> dict[str, str]:
    most = np.argsort(-np.abs(estimate.change))[:NAMED]
    named = ", ".join(f"Noll {SHAPE[k]} {estimate.change[k]:+.3f}" for k in most)
    return {
        "remedy": REMEDY,
        "reason": f"the wavefront has changed by {estimate.change_waves:.3f} ± {estimate.change_sigma_waves:.3f} waves "
        f"since the start, most in {named}",
    }  # fmt: skip
