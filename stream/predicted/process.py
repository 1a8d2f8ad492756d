"""The process that predicts the dense image: it counts localizations, and draws into shared pictures when it is asked.

with PredictionProcess(name, task, main, Task(...)) as predictor:
    if predictor.idle:
        predictor.send(x_nm, y_nm, widefield)    # None: only count
    answer = predictor.poll()                    # None while it works
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stream.config import EngineSettings
from stream.engines import open_engine
from stream.images.shared import SharedPicture
from stream.picture.tiles import Float32Array, Marks
from stream.predicted.field import FieldPredictor
from stream.worker import Worker, work

Asked = tuple[Float32Array, Float32Array, NDArray[np.float64] | None]
"""x and y of localizations in nm, (n,) each; the widefield image (y, x), if a prediction is wanted."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the run gives the process to do; crosses the process boundary.

    Parameters
    ----------
    model : Path
    engine : EngineSettings
    structure : str
    height_nm, width_nm, camera_pixel_nm : float
    image, error : str
        Names of the shared memory.
    """

    model: Path
    engine: EngineSettings
    structure: str
    height_nm: float
    width_nm: float
    camera_pixel_nm: float
    image: str
    error: str


@dataclass(frozen=True, slots=True)
class Predicted:
    """What was drawn.

    Parameters
    ----------
    image, error : (row, column) bool
        Tiles of the two pictures that changed.
    localizations : int
        From which.
    errors : (t,) float64
        Root mean square of the error of each tile of the network.
    """

    image: Marks
    error: Marks
    localizations: int
    errors: NDArray[np.float64]


class PredictionProcess(Worker[Predicted]):
    """It answers with what it has drawn, if it was asked to."""

    def send(self, x_nm: Float32Array, y_nm: Float32Array, widefield: NDArray[np.float64] | None) -> None:
        """Hand over localizations, and ask for a prediction or not; only while it is idle. Raises WorkerDied."""
        self._hand_over((x_nm, y_nm, widefield))


def main(task: Task, connection: Connection) -> None:
    """Be the process."""
    with closing(open_engine(task.model, task.engine)) as engine:
        field = FieldPredictor(engine.run, task.structure, task.height_nm, task.width_nm)
        with (
            closing(SharedPicture.attach(task.image, *field.shape_px)) as image,
            closing(SharedPicture.attach(task.error, *field.coarse_px)) as error,
        ):

            def take(asked: Asked) -> Predicted | None:
                x_nm, y_nm, widefield = asked
                field.add(x_nm, y_nm)
                if widefield is None:
                    return None
                whole = field.predict(widefield, task.camera_pixel_nm)
                return Predicted(image.put(whole.image), error.put(whole.error), field.localizations, whole.errors)

            work(connection, take)
