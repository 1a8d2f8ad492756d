"""Readers of result tables. To add one: its file, and its line here."""

from __future__ import annotations

from stream.readers.csv_list import CHALLENGE, PLAIN, SMAP, THUNDERSTORM, ChallengeWithoutHeader
from stream.readers.parquet import ParquetReader
from stream.readers.picasso_hdf5 import PicassoReader
from stream.readers.reader import Reader

READERS: dict[str, Reader] = {
    "Picasso HDF5": PicassoReader(),
    "LiveSMLM Parquet": ParquetReader(),
    "ThunderSTORM CSV": THUNDERSTORM,
    "SMLM challenge CSV": CHALLENGE,
    "SMLM challenge CSV without header": ChallengeWithoutHeader(),
    "SMAP CSV": SMAP,
    "plain CSV (frame, x_nm, y_nm)": PLAIN,
}
