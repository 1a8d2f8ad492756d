"""A run's dealings with the process that predicts: localizations and the sum of all frames go, two pictures come back.

What it draws is a prediction: its name, its files and the page say so, and no table is made of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from export.card import Card
from models.localizations import Localizations
from models.predicted.space import COARSER, PIXEL_NM, TILE_PX
from stream.beside import Beside, Correct, Gatherer
from stream.config import Rig
from stream.frame import StreamInfo
from stream.images.blocks import TILE_PX as PICTURE_TILE_PX
from stream.images.kept import file_of
from stream.images.shared import SharedPicture
from stream.picture.image import Named, write_ome_tiff
from stream.picture.layers import PREDICTION, PREDICTION_ERROR
from stream.picture.tiles import Float32Array, Pyramid
from stream.predicted.field import shapes_of
from stream.predicted.model import prediction_engine, prediction_model
from stream.predicted.process import Predicted, PredictionProcess, Task, main
from stream.predicted.usual import usual_error

REST = 1.0
"""After a prediction the process rests as long as it worked."""
NO_MEASUREMENT = "PREDICTION, NOT MEASURED"
Widefield = Callable[[], NDArray[np.float64]]


class Predictor(Gatherer[Predicted], Protocol):
    """Whoever predicts; `PredictionProcess` does."""

    def send(self, x_nm: Float32Array, y_nm: Float32Array, widefield: NDArray[np.float64] | None) -> None:
        """Take localizations, and be asked for a prediction. Raises WorkerDied."""


class LivePrediction(Beside[Predicted]):
    """Collects what was located, and shows what is predicted from it.

    Parameters
    ----------
    predictor : Predictor
    card : Card
        Of the network.
    structure : str
        What it is told that the sample is.
    pictures : dict
        The predicted image and its error map by name, drawn by the predictor.
    every_s : float
        Between predictions, at least.
    correct : callable
        Shifts a table's positions by the drift that is known.
    widefield : callable
        Returns the sum of all frames so far, (y, x).
    found : callable
        Told of each prediction: `prediction` of the message `health`.
    tell : callable
        Told in words if nothing more will be predicted.
    clock : callable

    Attributes
    ----------
    pictures : dict
        As given.
    facts : dict or None
        What is said of the newest prediction; None before the first.
    """

    def __init__(
        self, predictor: Predictor, card: Card, structure: str, pictures: dict[str, Pyramid], every_s: float,
        correct: Correct, widefield: Widefield, found: Callable[[dict[str, Any]], None], tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        super().__init__(predictor, "prediction", every_s, REST, tell, clock)
        self._predictor, self._card, self._structure = predictor, card, structure
        self._correct, self._widefield, self._found, self.pictures = correct, widefield, found, pictures
        self.facts: dict[str, Any] | None = None

    def _send(self, table: Localizations, ask: bool) -> None:
        self._predictor.send(*self._correct(table), self._widefield() if ask else None)

    def _hear(self, found: Predicted, seconds: float) -> None:
        self.pictures[PREDICTION].levels[0].mark(found.image)
        self.pictures[PREDICTION_ERROR].levels[0].mark(found.error)
        tiles = len(found.errors)
        area_um2 = max(tiles, 1) * (TILE_PX / 2 * PIXEL_NM / 1000) ** 2  # tiles overlap by half
        usual = usual_error(self._card, found.localizations / area_um2)
        self.facts = {
            "model": self._card.name, "structure": self._structure, "localizations": found.localizations,
            "missed": self.missed, "tiles": tiles, "seconds": round(seconds, 2),
            "error": round(float(np.median(found.errors)), 4) if tiles else None,
            "usual_error": None if usual is None else round(usual, 4),
            "doubtful_tiles": None if usual is None else int((found.errors > usual).sum()),
        }  # fmt: skip
        self._found(self.facts)

    def write(self, folder: Path) -> None:
        """Write both pictures, if anything was predicted. Raises StorageFault."""
        if self.facts is None:
            return
        words = (
            f"{NO_MEASUREMENT}: {self._card.name}, told that the sample is {self._structure}, from "
            f"{self.facts['localizations']} localizations, {self.missed} left out"
        )
        what = {
            PREDICTION: "as many localizations as there are, where they are to be expected after many more frames",
            PREDICTION_ERROR: "difference of the sum of all frames from what the prediction would look like there, "
            "over its standard deviation",
        }
        for name, pyramid in self.pictures.items():
            write_ome_tiff(
                folder / file_of(name), pyramid, named=Named(f"{name} ({NO_MEASUREMENT})", f"{words}; {what[name]}")
            )


def start(
    rig: Rig, info: StreamInfo, stack: ExitStack, correct: Correct, widefield: Widefield,
    found: Callable[[dict[str, Any]], None], tell: Callable[[str], None], clock: Callable[[], float],
) -> LivePrediction:  # fmt: skip
    """Start the process; `stack` ends it. Parameters as of `LivePrediction`.

    Raises
    ------
    ModelError, RigError
        As `prediction_model`; or there is no memory for the pictures.
    """
    settings, pixel_nm = rig.prediction, rig.camera.pixel_size_nm
    assert settings.structure is not None, "the settings say so"
    path, card = prediction_model(rig)
    field_nm = info.height_px * pixel_nm, info.width_px * pixel_nm
    shapes = dict(zip((PREDICTION, PREDICTION_ERROR), shapes_of(*field_nm), strict=True))
    shared = {name: SharedPicture.create(*shape, section="prediction") for name, shape in shapes.items()}
    for picture in shared.values():
        stack.callback(picture.close)
    sizes_nm = {PREDICTION: PIXEL_NM, PREDICTION_ERROR: COARSER * PIXEL_NM}
    pictures = {
        name: Pyramid(*shape, sizes_nm[name], PICTURE_TILE_PX, shared[name].tiles) for name, shape in shapes.items()
    }
    names = (picture.name for picture in shared.values())
    task = Task(path, prediction_engine(rig), settings.structure, *field_nm, pixel_nm, *names)
    process = stack.enter_context(PredictionProcess("livesmlm-prediction", "predicts the dense image", main, task))
    return LivePrediction(
        process, card, settings.structure, pictures, settings.every_s, correct, widefield, found, tell, clock
    )
