"""Parquet: all columns with their units, row groups of whole frames, complete only after close."""

import json

import numpy as np
import pyarrow.parquet
import pytest

from models.localizations import SCHEMA
from stream.errors import TableFormatError
from stream.readers.tables import read_table
from stream.sinks.parquet import Parquet
from tests.contracts_sink import FileSinkContract, localizations, run_in


class TestParquet(FileSinkContract):
    survives_a_fault = False

    def make(self):
        return Parquet()

    def read(self, folder):
        return read_table(folder / "table.parquet")


def test_keeps_every_column_bit_for_bit_with_its_unit(tmp_path):
    table = localizations(0, 9, with_z=True)
    sink = Parquet()
    sink.open(run_in(tmp_path))
    sink.write(table, 0, 9)
    sink.skipped(10, 14, "too slow")
    sink.close()
    with pyarrow.parquet.ParquetFile(tmp_path / "table.parquet") as file:
        schema, metadata, stored = file.schema_arrow, file.metadata.metadata, file.read()
    assert schema.names == list(table)
    for name in table:
        np.testing.assert_array_equal(stored[name].to_numpy(), table[name])
        assert schema.field(name).metadata[b"unit"].decode() == SCHEMA[name].unit
    about = json.loads(metadata[b"livesmlm"])
    assert (about["run_id"], about["frames"], about["skipped_frames"]) == ("run-1", [0, 9], 5)


def test_row_groups_do_not_share_frames(tmp_path):
    sink = Parquet()
    sink.open(run_in(tmp_path))
    for frame in range(5):
        sink.write(localizations(frame, frame, per_frame=30_000), frame, frame)
    sink.close()
    with pyarrow.parquet.ParquetFile(tmp_path / "table.parquet") as file:
        groups = [file.metadata.row_group(number).column(0).statistics for number in range(file.num_row_groups)]
    assert [(group.min, group.max) for group in groups] == [(0, 2), (3, 4)]


def test_an_unfinished_file_says_where_the_list_is(tmp_path):
    sink = Parquet()
    sink.open(run_in(tmp_path))
    sink.write(localizations(0, 0, per_frame=70_000), 0, 0)
    with pytest.raises(TableFormatError, match=r"locs\.hdf5"):
        read_table(tmp_path / "table.parquet.part")
    sink.close()
    assert [path.name for path in tmp_path.iterdir()] == ["table.parquet"]
