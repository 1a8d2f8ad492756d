"""The models that ship with the package, and any other `.onnx` file."""

from __future__ import annotations

from pathlib import Path

import models
from export.card import Card
from models.guard.molecules.guard_file import ENDING
from models.systems import SYSTEMS
from stream.errors import ModelError

ZOO = Path(models.__file__).parent / "zoo"


def shipped() -> dict[str, Card]:
    """Return the cards of the models that ship, by name."""
    return {path.stem: Card.from_json(path.read_text()) for path in sorted(ZOO.glob("*.json"))}


def find(name: str, field: str = "[model] name") -> Path:
    """Return the `.onnx` file of a shipped model's name or of a path, which a field of the rig names.

    Raises
    ------
    ModelError
        There is none.
    """
    for path in (ZOO / f"{name}.onnx", Path(name)):
        if path.is_file():
            return path
    raise none_such(name, field)


def none_such(name: str, field: str) -> ModelError:
    """Return what is said of a name that nothing has; a system that does not ship can be trained."""
    remedy = "`livesmlm models` lists them; or give the path of an .onnx file that LiveSMLM exported"
    if name in SYSTEMS:
        remedy = f"{name} is a system: {how_to_get(name)}"
    return ModelError(
        f"{field} = {name!r}: no such model or file",
        limit=f"models that ship: {', '.join(shipped()) or 'none'}",
        remedy=remedy,
    )


def how_to_get(system: str) -> str:
    """Return in words how one comes by a model of a system."""
    trained = [one for one, card in shipped().items() if card.provenance.get("recipe", {}).get("system") == system]
    train = f"`livesmlm train {system}`, `livesmlm export`, and give the file"
    return f"take {' or '.join(trained)}; or {train}" if trained else train


def spot_of(name: str) -> Path:
    """Return the file of spots beside a model; whether it is there shows when it is read."""
    return find(name).with_suffix(".spot.npz")


def guard_of(name: str) -> Path | None:
    """Return the file beside a model that its guard learned; None if there is none."""
    path = find(name).with_suffix(ENDING)
    return path if path.is_file() else None
