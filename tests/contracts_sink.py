"""What every sink must do: its test is a subclass of `SinkContract`, or of `FileSinkContract` if it writes a file."""

import multiprocessing
import shutil
import sys
from abc import ABC, abstractmethod
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from models.localizations import Localizations, concatenate, empty
from stream.errors import OutputError, StorageFault
from stream.frame import StreamInfo
from stream.sink import RunInfo, Sink

PIXEL_NM = 100.0
WIDTH_PX, HEIGHT_PX = 64, 48


def run_in(folder: Path) -> RunInfo:
    """Return a run that writes to this folder."""
    stream = StreamInfo(HEIGHT_PX, WIDTH_PX, description="camera of the test")
    rig = {"optics": {"psf_sigma_nm": 130.0}}
    return RunInfo("run-1", stream, PIXEL_NM, rig, {"name": "model-1"}, folder, {"livesmlm": "1.2.3"})


def localizations(first: int, last: int, per_frame: int = 5, with_z: bool = False) -> Localizations:
    """Return localizations well inside of the frame with the columns of a model; same arguments, same table."""
    random = np.random.default_rng([first, last])
    number = per_frame * (last - first + 1)
    sigma = random.uniform(5, 20, number)
    columns = {
        "frame": np.repeat(np.arange(first, last + 1), per_frame),
        "x_nm": random.uniform(PIXEL_NM, (WIDTH_PX - 1) * PIXEL_NM, number),
        "y_nm": random.uniform(PIXEL_NM, (HEIGHT_PX - 1) * PIXEL_NM, number),
        "sigma_x_nm": sigma,
        "sigma_y_nm": sigma,
        "photons": random.uniform(100, 5000, number),
        "sigma_photons": random.uniform(5, 20, number),
        "background": random.uniform(1, 50, number),
        "probability": random.uniform(0.5, 1, number),
    }
    if with_z:
        columns |= {"z_nm": random.uniform(-500, 500, number), "sigma_z_nm": random.uniform(20, 50, number)}
    return Localizations(columns)


def assert_same(found: Localizations, expected: Localizations) -> None:
    """Fail unless the columns that both tables have are equal but for rounding."""
    assert len(found) == len(expected)
    for name in set(found) & set(expected):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=2e-3, err_msg=name)


class SinkContract(ABC):
    """What every sink must do."""

    @abstractmethod
    def make(self) -> Sink:
        """Return a sink that is not open."""

    def test_takes_a_run_with_empty_tables_and_skipped_frames(self, tmp_path):
        sink = self.make()
        sink.open(run_in(tmp_path))
        sink.write(localizations(0, 3), 0, 3)
        sink.write(empty(), 4, 4)
        sink.skipped(5, 9, "the analyzer was too slow")
        sink.write(localizations(10, 11), 10, 11)
        sink.close()

    def test_may_be_closed_before_it_is_open_and_twice(self, tmp_path):
        self.make().close()
        sink = self.make()
        sink.open(run_in(tmp_path))
        sink.close()
        sink.close()


class FileSinkContract(SinkContract):
    """What every sink that writes a table to a file must do."""

    survives_a_fault = True  # whether the file can be read after a fault or kill -9

    @abstractmethod
    def read(self, folder: Path) -> Localizations:
        """Read the table that a sink left in the folder."""

    @pytest.mark.parametrize("with_z", [False, True])
    def test_gives_back_what_was_written(self, tmp_path, with_z):
        tables = [localizations(first, first + 9, with_z=with_z) for first in range(0, 30, 10)]
        sink = self.make()
        sink.open(run_in(tmp_path))
        for first, table in zip(range(0, 30, 10), tables, strict=True):
            sink.write(table, first, first + 9)
        sink.close()
        found = self.read(tmp_path)
        assert {"frame", "x_nm", "y_nm", "photons", "background", "sigma_x_nm", "sigma_y_nm"} <= set(found)
        assert ("z_nm" in found) == ("sigma_z_nm" in found) == with_z
        assert_same(found, concatenate(tables))

    def test_a_run_without_localizations_gives_an_empty_table(self, tmp_path):
        sink = self.make()
        sink.open(run_in(tmp_path))
        sink.write(empty(), 0, 99)
        sink.close()
        assert len(self.read(tmp_path)) == 0

    def test_never_writes_over_another_run(self, tmp_path):
        first = self.make()
        first.open(run_in(tmp_path))
        first.write(localizations(0, 9), 0, 9)
        first.close()
        with pytest.raises(OutputError, match="exists already"):
            self.make().open(run_in(tmp_path))
        assert_same(self.read(tmp_path), localizations(0, 9))

    def test_says_that_there_is_no_folder(self, tmp_path):
        with pytest.raises(OutputError, match="cannot be created"):
            self.make().open(run_in(tmp_path / "nowhere"))

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows does not delete a folder with open files")
    def test_says_that_the_folder_is_gone(self, tmp_path):
        folder = tmp_path / "out"
        folder.mkdir()
        sink = self.make()
        sink.open(run_in(folder))
        sink.write(localizations(0, 9), 0, 9)
        shutil.rmtree(folder)
        with pytest.raises(StorageFault, match="is gone"):
            sink.write(localizations(10, 19), 10, 19)
        with pytest.raises(StorageFault):
            sink.close()

    @pytest.mark.skipif(sys.platform == "win32", reason="no limit on the size of a file")
    def test_a_full_disk_stops_it_and_loses_nothing_written(self, tmp_path):
        here, there = multiprocessing.get_context("spawn").Pipe()
        child = multiprocessing.get_context("spawn").Process(target=_fill, args=(self.make(), tmp_path, there))
        child.start()
        there.close()
        assert here.poll(60), "the child does not answer"
        written, fault = here.recv()
        here.close()
        child.join(60)
        assert child.exitcode == 0
        assert isinstance(fault, StorageFault)
        assert fault.what
        assert "left" in fault.limit
        assert "Free space" in fault.remedy
        if self.survives_a_fault:
            assert written > 0
            assert_same(self.read(tmp_path), concatenate(_big_table(number) for number in range(written)))


def _big_table(number: int) -> Localizations:
    return localizations(number, number, per_frame=20_000)


def _fill(sink: Sink, folder: Path, answer: Connection) -> None:
    """Write until a file is larger than this process may make it; send how many tables went well, and the fault."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (8 << 20, 8 << 20))
    sink.open(run_in(folder))
    written = 0
    try:
        while written < 100:
            sink.write(_big_table(written), written, written)
            written += 1
    except StorageFault as fault:
        answer.send((written, fault))
    sink.close()
