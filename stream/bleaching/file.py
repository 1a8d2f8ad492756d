"""`traces.parquet`: a row for each spot that was followed, with its trace; units in the names and the metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bleaching.photometry import nearest
from stream.bleaching.counts import Counted
from stream.bleaching.record import TraceRecord
from stream.sinks.storage import writing

NAME = "traces.parquet"
KEPT = "The localizations are in the other files of the run."
MEANING = {
    "x_nm": "place in the first frames, from the outer corner of pixel (0, 0)", "y_nm": "the same", "z_nm": "the same",
    "nearest_nm": "distance of the nearest other spot that was followed; its light is taken out",
    "steps": "most probable number of bleaching steps; the highest stands for so many or more",
    "probability": "of that number", "step_e": "photo-electrons per frame that a step takes away, on average",
    "snr": "a step over the standard deviation of a sample at the end",
    "lit": "light is left at the end: more steps may come",
    "frame": "mean index of the frames of each sample", "light_e": "photo-electrons per frame, of each sample",
    "sigma_e": "standard deviation of light_e, from the pixels' noise",
}  # fmt: skip


def write_traces(
    folder: Path, position_nm: NDArray[np.float64], record: TraceRecord, counted: Counted | None, about: dict[str, Any]
) -> None:
    """Write the file whole or not at all.

    Parameters
    ----------
    folder : Path
        Of the run.
    position_nm : (n, 3) float64
    record : TraceRecord
    counted : Counted or None
        None: too few frames, or counting has failed; then there are no such columns.
    about : dict
        Kept in the file's metadata under `livesmlm`.

    Raises
    ------
    StorageFault
    """
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, Any] = dict(zip(("x_nm", "y_nm", "z_nm"), position_nm.T, strict=True))
    columns["nearest_nm"] = nearest(position_nm[:, :2])
    if counted is not None:
        columns |= {"steps": counted.steps, "probability": counted.sure}
        columns |= {f"probability_{k}": values for k, values in enumerate(counted.probability.T)}
        columns |= {"step_e": counted.step_e, "snr": counted.snr, "lit": counted.lit}
    columns["frame"] = [record.frame] * len(position_nm)
    columns |= {"light_e": list(record.light_e), "sigma_e": list(record.sigma_e)}
    table = pa.table(columns)
    fields = [field.with_metadata({"meaning": MEANING.get(field.name, "")}) for field in table.schema]
    told = {"livesmlm": json.dumps(about | {"frames_per_sample": record.frames_per_sample})}
    path, part = folder / NAME, folder / f"{NAME}.part"
    with writing(path, KEPT):
        parquet.write_table(table.cast(pa.schema(fields, metadata=told)), part, compression="zstd")
        part.replace(path)
