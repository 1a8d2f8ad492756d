"""From a training, or a model that ships, to a file: network, card and recipe."""

from __future__ import annotations

from pathlib import Path

from export.card import Card
from export.localizer_files import write_alone, write_localizer
from export.other_files import WRITERS
from export.precision import Precision
from export.trained import Trained, trained_in
from models.guard.molecules.guard_file import ENDING
from models.layers import OverFrames
from models.masks.file import MASK
from models.optics.low_rank import SPOT
from models.systems import SYSTEMS
from models.systems.deep_loco import DeepLoco
from models.systems.deep_storm_3d import DeepStorm3d


def export(source: Path, out: Path, precision: Precision = "fp32", rows_per_block: int = 0) -> Card:
    """Write averaged weights as `out` (.onnx) with their card; beside it spot and guard; as `export_trained`.

    Parameters
    ----------
    source : Path
        Folder of a training, or a localizer's `.onnx` file.
    out, precision, rows_per_block
    """
    card = export_trained(trained_in(source), out, precision, rows_per_block)
    known = source.with_suffix(ENDING)
    if precision != "int8" and known.is_file():  # the same network: what its guard knows holds for this form too
        out.with_suffix(ENDING).write_bytes(known.read_bytes())
    return card


def export_trained(
    trained: Trained, out: Path, precision: Precision = "fp32", rows_per_block: int = 0, name: str = ""
) -> Card:
    """Write a network as `out` (.onnx) with its card, and beside it the spot and the mask, where it has them.

    Parameters
    ----------
    trained : Trained
    out : Path
        The `.onnx` file to write.
    precision : {"fp32", "fp16", "int8"}
        Of a localizer's convolutions.
    rows_per_block : int
        Of a localizer: for a graph of known shapes; 0 for one whose table is as long as what is found.
    name : str
        On the card of a localizer; empty: spot and size.

    Raises
    ------
    ValueError
        Another form than the usual one of what is no localizer, or a file that no network can be made of.
    """
    kind = SYSTEMS[trained.recipe.system].kind
    if isinstance(trained.network, DeepLoco | DeepStorm3d) and (precision, rows_per_block) == ("fp32", 0):
        card = write_alone(trained.network, trained, out, name)
    elif isinstance(trained.network, OverFrames):
        card = write_localizer(trained, out, precision, rows_per_block, name)
    elif (precision, rows_per_block) == ("fp32", 0):
        card = WRITERS[kind](trained, out)
    else:
        raise ValueError(f"{trained.recipe.system} is exported in fp32 and as onnx only")
    if trained.spot:
        trained.spot.save(out.with_suffix(f".{SPOT}"))
    out.with_suffix(f".{MASK}").unlink(missing_ok=True)
    if trained.mask:
        trained.mask.save(out.with_suffix(f".{MASK}"))
    return card
