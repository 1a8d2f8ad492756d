"""Sinks: where localizations go. To add one: its file, and its line here."""

from __future__ import annotations

from stream.sink import Sink
from stream.sinks.parquet import Parquet
from stream.sinks.picasso_hdf5 import PicassoHdf5
from stream.sinks.thunderstorm_csv import ThunderstormCsv

SINKS: dict[str, type[Sink]] = {
    "picasso_hdf5": PicassoHdf5,
    "thunderstorm_csv": ThunderstormCsv,
    "parquet": Parquet,
}
