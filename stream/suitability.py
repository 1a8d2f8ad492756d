"""Whether a model is a localizer, was trained for what the rig is, and whether its optics can be watched."""

from __future__ import annotations

from export.card import Card
from stream.config import Rig
from stream.errors import ModelError, SampleSpaceError
from stream.rig_against_card import Compared, compare

LOCALIZER = "threshold"
"""Input that only localizers have."""


def refuse_unsuitable(rig: Rig, card: Card) -> None:
    """Raise ModelError, SampleSpaceError or RigError if a run with this model cannot be."""
    refuse_no_localizer(card)
    refuse_outside(rig, card)
    if rig.phase.mode != "off":
        from stream.optics import phase_task

        phase_task(rig, card)
    if rig.image.model is not None:
        from stream.images.model import image_model

        image_model(rig)
    if rig.prediction.model is not None:
        from stream.predicted.model import prediction_model

        prediction_model(rig)


def refuse_no_localizer(card: Card) -> None:
    """Raise ModelError if a model locates nothing."""
    if LOCALIZER not in (port.name for port in card.inputs):
        raise ModelError(
            f"model {card.name!r} ({card.title}) finds no molecules",
            limit=f"it takes {', '.join(port.name for port in card.inputs)}; a localizer takes a threshold too",
            remedy="`livesmlm models` lists those that ship",
        )


def refuse_outside(rig: Rig, card: Card) -> None:
    """Raise SampleSpaceError if the rig lies outside what the model was trained on, and that is not accepted."""
    problems = [one for one in compare(rig, card) if one.inside is False and one.decides]
    if problems and not rig.model.accept_outside:
        raise SampleSpaceError(
            f"the rig lies outside what model {card.name!r} was trained on: {_in_words(problems)}",
            limit="outside its sample space a network returns plausible nonsense",
            remedy="bin or choose another objective, or train a model for this rig: livesmlm train; "
            "to run all the same, set [model] accept_outside = true",
        )


def outside(compared: list[Compared], card: Card) -> list[str]:
    """Say what lies outside all the same, of a run that is not refused."""
    trained = f"what model {card.name!r} was trained on"
    openings = {True: f"accepted, the rig lies outside {trained}", False: f"not quite {trained}"}
    found = {
        decides: [one for one in compared if one.inside is False and one.decides is decides] for decides in openings
    }
    return [f"{openings[decides]}: {_in_words(problems)}" for decides, problems in found.items() if problems]


def _in_words(problems: list[Compared]) -> str:
    return "; ".join(problem.in_words for problem in problems)
