"""What napari is given of a run's folder; reading it needs no napari."""

from pathlib import Path

import numpy as np

from models.localizations import OUTSIDE, REFINED, Localizations
from stream.frame import StreamInfo
from stream.sink import RunInfo
from stream.sinks.parquet import Parquet
from stream.viewers.napari_reader import read_run


def test_what_was_located_outside_is_a_feature_that_can_be_filtered_by(tmp_path: Path) -> None:
    flags = np.array([0, REFINED, OUTSIDE, OUTSIDE | REFINED])
    table = Localizations({"frame": np.arange(4), "x_nm": np.ones(4), "y_nm": np.ones(4), "flags": flags})
    sink = Parquet()
    sink.open(RunInfo("run-1", StreamInfo(64, 64, 100), 100.0, {}, {}, tmp_path, {}, "none", ()))
    sink.write(table, 0, 3)
    sink.close()
    ((_, facts, kind),) = read_run(str(tmp_path))
    assert kind == "points"
    assert facts["features"]["outside"].tolist() == [False, False, True, True]
