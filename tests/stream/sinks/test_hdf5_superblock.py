"""The superblock that is written here is the one HDF5 writes."""

import h5py
import numpy as np
import pytest

from stream.sinks.hdf5_superblock import lookup3, reserve, trim


def test_checksum_agrees_with_its_author():
    assert lookup3(b"Four score and seven years ago") == 0x17770551  # from a comment in lookup3.c


@pytest.mark.parametrize("size", [47, 48, 100])
def test_checksum_agrees_with_hdf5(tmp_path, size):
    with h5py.File(tmp_path / "file.h5", "w", libver=("v110", "v110")) as file:
        file["numbers"] = np.arange(size)
    block = (tmp_path / "file.h5").read_bytes()[:48]
    assert lookup3(block[:44]) == int.from_bytes(block[44:], "little")


def test_an_open_file_opens_in_another_program_once_it_is_reserved(tmp_path):
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file["numbers"] = np.arange(5)
        file.flush()
        copy = tmp_path / "copy.h5"
        copy.write_bytes(path.read_bytes())
        with pytest.raises(OSError, match="h5clear"):
            h5py.File(copy)
        reserve(path, 1 << 16)
        copy.write_bytes(path.read_bytes())
    assert copy.stat().st_size == 1 << 16
    with h5py.File(copy) as other:
        np.testing.assert_array_equal(other["numbers"], np.arange(5))


def test_trim_leaves_a_file_that_opens(tmp_path):
    path = tmp_path / "file.h5"
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file["numbers"] = np.arange(5)
        file.flush()
        reserve(path, 1 << 20)
    trim(path)
    assert path.stat().st_size < 1 << 16
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["numbers"], np.arange(5))
