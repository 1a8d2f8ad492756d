"""Whether a model was trained for what the rig is, and whether its optics can be watched."""

from __future__ import annotations

from export.card import Card
from stream.config import Rig
from stream.errors import SampleSpaceError


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


def refuse_unwatchable(rig: Rig, card: Card) -> None:
    """Raise RigError if `[phase]` cannot be done with the localizer of a card."""
    if rig.phase.mode != "off":
        from stream.optics import phase_task

        phase_task(rig, card)
