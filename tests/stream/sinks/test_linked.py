"""Molecules reach their file, also those that are still on at the end."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from models.localizations import Localizations
from stream.sinks.linked import Linked, LinkSettings
from tests.contracts_sink import FileSinkContract, localizations, run_in


class TestLinked(FileSinkContract):
    filename = "linked.parquet"
    survives_a_fault = False

    def make(self) -> Linked:
        return Linked(LinkSettings(max_distance_nm=1e-3))

    def read(self, folder: Path) -> Localizations:
        table = pq.read_table(folder / self.filename)
        return Localizations({name: table[name].to_numpy() for name in table.schema.names})


def test_blinks_become_molecules(tmp_path: Path) -> None:
    sink = Linked(LinkSettings(max_distance_nm=30))
    sink.open(run_in(tmp_path))
    still = localizations(0, 0)
    for frame in range(6):
        table = {name: still[name] for name in still} | {"frame": np.full(len(still), frame)}
        sink.write(Localizations(table), frame, frame)
    sink.close()
    rows = pq.read_table(tmp_path / "linked.parquet").to_pydict()
    assert rows["frames"] == [6] * len(still)
    np.testing.assert_allclose(rows["x_nm"], still["x_nm"], rtol=1e-6)
    np.testing.assert_allclose(rows["sigma_x_nm"], still["sigma_x_nm"] / 6**0.5, rtol=1e-5)


def test_a_distance_must_be_a_distance() -> None:
    with pytest.raises(ValidationError):
        LinkSettings(max_distance_nm=0)
