"""Whether a model is a localizer, was trained for what the rig is, and whether its optics can be watched."""

from __future__ import annotations

from export.card import Card
from stream.config import Rig
from stream.errors import ModelError, SampleSpaceError

LOCALIZER = "frames"
"""Input that only localizers have."""


def refuse_unsuitable(rig: Rig, card: Card) -> None:
    """Raise ModelError, SampleSpaceError or RigError if a run with this model cannot be."""
    refuse_no_localizer(card)
    refuse_outside(rig, card)
    if rig.phase.mode != "off":
        from stream.optics import phase_task

        phase_task(rig, card)


def refuse_no_localizer(card: Card) -> None:
    """Raise ModelError if a model locates nothing."""
    if LOCALIZER not in (port.name for port in card.inputs):
        raise ModelError(
            f"model {card.name!r} ({card.title}) finds no molecules",
            limit=f"it takes {', '.join(port.name for port in card.inputs)}; a localizer takes camera frames",
            remedy="`livesmlm models` lists those that ship",
        )


def refuse_outside(rig: Rig, card: Card) -> None:
    """Raise SampleSpaceError if the rig lies outside what the model was trained on."""
    facts = {"pixel_size_nm": rig.camera.pixel_size_nm}
    if rig.optics.psf_sigma_nm is not None:
        facts["psf_sigma_px"] = rig.optics.psf_sigma_nm / rig.camera.pixel_size_nm
    problems = card.sample_space.outside(facts)
    if problems:
        raise SampleSpaceError(
            f"the rig lies outside what model {card.name!r} was trained on: {'; '.join(problems)}",
            limit="outside its sample space a network returns plausible nonsense",
            remedy="bin or choose another objective, or train a model for this rig: livesmlm train",
        )
