"""The card inside a model file, checked against the graph around it, and inputs checked against the card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from export.card import Card, CardError
from stream.errors import ModelError


def checked(text: str | None, found: tuple[list[str], list[str]], model: Path) -> Card:
    """Return the card of a model.

    Parameters
    ----------
    text : str or None
        What stands under `METADATA_KEY` in the file.
    found : (list of str, list of str)
        Names of the graph's inputs and outputs.
    model : Path
        For messages.

    Raises
    ------
    ModelError
        There is no card, it is of another version, or it describes another graph.
    """
    if text is None:
        raise ModelError(f"{model} carries no LiveSMLM card", remedy="export it with `livesmlm export`")
    try:
        card = Card.from_json(text)
    except CardError as error:
        raise ModelError(f"{model}: {error}", remedy="export the model again with this version") from error
    wanted = [port.name for port in card.inputs], [port.name for port in card.outputs]
    if wanted != found:
        raise ModelError(
            f"{model}: the card names ports {wanted}, the graph has {found}", remedy="export the model again"
        )
    return card


def refuse_unfit(inputs: Mapping[str, NDArray[np.generic]], card: Card) -> None:
    """Raise ValueError if an input is of another dtype than the card says, or if axes of one name differ in length.

    For runtimes that compute something anyway.
    """
    lengths: dict[str, int] = {}
    for port in card.inputs:
        array = inputs[port.name]
        if array.dtype != port.dtype or array.ndim != len(port.axes):
            raise ValueError(f"{port.name} is {array.dtype}{array.shape}, the model takes {port.dtype}{port.axes}")
        for axis, length in zip(port.axes, array.shape, strict=True):
            if axis.isidentifier() and lengths.setdefault(axis, length) != length:
                raise ValueError(f"axis {axis} of {port.name} is {length} long, elsewhere {lengths[axis]}")
