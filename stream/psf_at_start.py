"""The PSF before the first frame, for people to compare with what it becomes."""

from __future__ import annotations

from export.card import Card
from models.optics.low_rank import LowRankSpot
from models.optics.slices import PsfSlices, slices
from stream import zoo
from stream.config import Rig


def psf_at_start(rig: Rig, card: Card) -> PsfSlices | None:
    """Return what the optics are taken for at the start; None in focus, and where a model has no spots beside it.

    Parameters
    ----------
    rig : Rig
        With `[phase]`, what it says of the pupil counts; else the spots that are fitted with, or would be.
    card : Card
        Of the localizer.
    """
    if rig.phase.mode != "off":
        from stream.optics import phase_task  # loads what refines the pupil: only where it is wanted

        return phase_task(rig, card).known().psf()
    path = rig.refine.spot or zoo.spot_of(rig.model.name)
    if "z_nm" not in card.columns or not path.is_file():
        return None
    spot = LowRankSpot.load(path)
    return slices(spot, *spot.z_range_nm)
