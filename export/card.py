"""The model card: what a model eats and yields, where it may be used, how it was made and how it scored.

A card is JSON in the ONNX file's metadata under `METADATA_KEY`, so that one file says everything about itself.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from models.sample_space import SampleSpace

METADATA_KEY = "livesmlm_card"
CARD_FORMAT = 1


class CardError(ValueError):
    """The text is not a card that this version understands."""


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output of the graph: name, dtype, axes and unit."""

    name: str
    dtype: str
    axes: tuple[str, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a model is.

    Parameters
    ----------
    name, title : str
        Name in the zoo; one line for people.
    inputs, outputs : tuple of Port
    columns : tuple of str
        Columns of the output `table`, with units in the names.
    features : int
        Channels of the cached features that are handed from one batch to the next.
    stride : int
        Camera pixels from one of these features to the next.
    look_ahead : int
        Frames that must have come after a frame before it can be analysed.
    multiple_px : int
        The graph pads frames to this multiple.
    threshold : float
        Detection probability above which a candidate becomes a localization, unless the rig says otherwise.
    mac_per_pixel : int
        Multiply-accumulate operations per camera pixel and frame.
    sample_space : SampleSpace
    provenance, scores : dict
        How it was trained (recipe, seed, steps, commit, versions, hardware); what it scored and on what.
    weights_sha256 : str
        Over the weights' bytes in the order of their names.
    precision : str
        Of the convolutions: fp32, fp16 or int8.
    rows_per_block : int
        Of a graph of known shapes (`static_graph.py`): rows for each block of a frame; 0 of one whose table is as long
        as what is found.
    reach_px : int
        So far from a pixel lies what a localization there can depend on; 0 if it is not known.
    upsampling : int
        Of a model that draws images: its pixels along a camera pixel; 0 of any other.
    """

    name: str
    title: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    columns: tuple[str, ...]
    features: int
    look_ahead: int
    multiple_px: int
    threshold: float
    mac_per_pixel: int
    sample_space: SampleSpace
    provenance: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    weights_sha256: str = ""
    stride: int = 2
    precision: str = "fp32"
    rows_per_block: int = 0
    reach_px: int = 0
    upsampling: int = 0
    format: int = CARD_FORMAT

    def to_dict(self) -> dict[str, Any]:
        """Return plain scalars, lists and mappings."""
        return json.loads(json.dumps(asdict(self) | {"sample_space": self.sample_space.to_dict()}))  # type: ignore[no-any-return]

    def to_json(self) -> str:
        """Return the card as text."""
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Read a card; raises CardError if it is of another format, incomplete, or has unknown fields."""
        try:
            plain = json.loads(text)
            if plain["format"] != CARD_FORMAT:
                raise CardError(f"card format {plain['format']}, this version reads format {CARD_FORMAT}")
            ports = {
                side: tuple(Port(**(p | {"axes": tuple(p["axes"])})) for p in plain[side])
                for side in ("inputs", "outputs")
            }
            space = SampleSpace.from_dict(plain["sample_space"])
            return cls(**(plain | ports | {"columns": tuple(plain["columns"]), "sample_space": space}))
        except KeyError as error:
            raise CardError(f"not a model card: it says nothing of {error}") from error
        except (TypeError, json.JSONDecodeError) as error:
            raise CardError(f"not a model card: {error}") from error
