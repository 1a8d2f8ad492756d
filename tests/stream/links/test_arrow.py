"""The table as Arrow: nothing is lost on the way there and back, and nothing else is taken for a table."""

import numpy as np
import pyarrow as pa
import pytest

from models.localizations import SCHEMA, Localizations, empty
from stream.errors import TableFormatError
from stream.links.arrow import from_arrow, from_ipc, schema, to_arrow, to_ipc


def every_column(rows: int) -> Localizations:
    random = np.random.default_rng(0)
    return Localizations({name: random.uniform(0, 1000, rows).astype(SCHEMA[name].dtype) for name in SCHEMA})


@pytest.mark.parametrize("table", [every_column(7), every_column(0), empty()])
def test_round_trip_keeps_every_column(table):
    found = from_ipc(to_ipc(table))
    assert list(found) == list(table)
    for name in table:
        assert found[name].dtype == np.dtype(SCHEMA[name].dtype)
        np.testing.assert_array_equal(found[name], table[name])


def test_units_are_in_the_field_metadata():
    fields = schema(["frame", "photons"])
    assert fields.field("photons").metadata[b"unit"] == b"photon"
    assert to_arrow(every_column(3)).schema.field("x_nm").metadata[b"unit"] == b"nm"


@pytest.mark.parametrize("length", [0, 3, 100, -20, -200])
def test_broken_payload_is_refused(length):
    whole = to_ipc(every_column(20))
    with pytest.raises(TableFormatError):
        from_ipc(whole[: length or None] if length else b"")


@pytest.mark.parametrize(
    "columns",
    [
        {"frame": [1], "x_nm": [1.0]},
        {"frame": [1], "x_nm": [1.0], "y_nm": [1.0], "colour": [3]},
        {"frame": [1], "x_nm": [None], "y_nm": [1.0]},
    ],
)
def test_other_tables_are_refused(columns):
    with pytest.raises(TableFormatError, match="not a table"):
        from_arrow(pa.record_batch(columns))
