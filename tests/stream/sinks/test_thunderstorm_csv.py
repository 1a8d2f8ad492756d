"""ThunderSTORM CSV: the header to the letter, frames and ids from 1, whole lines only."""

import csv
import math

import numpy as np

from models.localizations import Localizations
from stream.readers.tables import read_table
from stream.sinks.thunderstorm_csv import ThunderstormCsv
from tests.contracts_sink import FileSinkContract, localizations, run_in


class TestThunderstormCsv(FileSinkContract):
    def make(self):
        return ThunderstormCsv()

    def read(self, folder):
        return read_table(folder / "locs.csv")


def written(folder, *tables):
    sink = ThunderstormCsv()
    sink.open(run_in(folder))
    for table in tables:
        sink.write(table, 0, 0)
    sink.close()
    return sink, (folder / "locs.csv").read_text()


def test_header_2d(tmp_path):
    _, text = written(tmp_path, localizations(0, 1))
    assert text.splitlines()[0] == (
        '"id","frame","x [nm]","y [nm]","sigma [nm]","intensity [photon]","offset [photon]","uncertainty_xy [nm]"'
    )


def test_header_3d(tmp_path):
    _, text = written(tmp_path, localizations(0, 1, with_z=True))
    assert text.splitlines()[0] == (
        '"id","frame","x [nm]","y [nm]","z [nm]","sigma1 [nm]","sigma2 [nm]","intensity [photon]","offset [photon]",'
        '"uncertainty_xy [nm]","uncertainty_z [nm]"'
    )


def test_counts_from_one_over_all_tables(tmp_path):
    _, text = written(tmp_path, localizations(0, 1, per_frame=2), localizations(7, 7, per_frame=1))
    rows = list(csv.DictReader(text.splitlines()))
    assert [(row["id"], row["frame"]) for row in rows] == [("1", "1"), ("2", "1"), ("3", "2"), ("4", "2"), ("5", "8")]


def test_uncertainty_is_the_root_mean_square_of_both_axes(tmp_path):
    columns = {"frame": [0], "x_nm": [1], "y_nm": [2], "sigma_x_nm": [3], "sigma_y_nm": [4]}
    _, text = written(tmp_path, Localizations({name: np.array(value) for name, value in columns.items()}))
    (row,) = csv.DictReader(text.splitlines())
    assert math.isclose(float(row["uncertainty_xy [nm]"]), math.sqrt(12.5), rel_tol=1e-6)
    assert "intensity [photon]" not in row


def test_rows_that_java_cannot_parse_are_counted_not_written(tmp_path):
    columns = {"frame": [0, 0, 0], "x_nm": [1, np.nan, 3], "y_nm": [1, 1, np.inf]}
    sink, text = written(tmp_path, Localizations({name: np.array(value) for name, value in columns.items()}))
    assert sink.rejected == 2
    assert len(text.splitlines()) == 2


def test_channels_are_its_last_columns_and_come_back(tmp_path):
    table = localizations(0, 3)
    ours = {"channel": np.arange(len(table)) % 3 - 1, "channel_probability": np.full(len(table), 0.75)}
    _, text = written(tmp_path, Localizations({name: table[name] for name in table} | ours))
    assert text.splitlines()[0].endswith('"channel","channel_probability"')
    back = read_table(tmp_path / "locs.csv")
    assert {name: back[name].tolist() for name in ours} == {name: values.tolist() for name, values in ours.items()}
