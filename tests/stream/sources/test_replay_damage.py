"""Replay: files that are damaged, incomplete or not what a camera writes; each is named, and what is good is taken."""

import os

import numpy as np
import pytest
import tifffile

from stream.errors import FrameFormatError
from stream.sources.replay import ReplaySettings, ReplaySource
from tests.stream.sources.stacks import imagej_with_one_directory, pages, raw, read, read_until_error, some_frames


@pytest.fixture
def expected() -> np.ndarray:
    return some_frames()


@pytest.mark.parametrize("dtype", ["float32", "int32", "int16", "uint32"])
@pytest.mark.parametrize("name", ["a.tif", "a.npy"])
def test_other_dtypes_are_refused_before_the_first_frame(tmp_path, name, dtype):
    stack = np.zeros((3, 8, 9), dtype)
    np.save(tmp_path / name, stack) if name == "a.npy" else tifffile.imwrite(
        tmp_path / name, stack, photometric="minisblack"
    )
    with pytest.raises(FrameFormatError, match=f"a.* holds pixels of dtype {dtype}") as error:
        ReplaySource(ReplaySettings(path=tmp_path / name)).open()
    assert "uint16 or uint8" in error.value.limit
    assert error.value.remedy


def test_colour_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 9, 3), np.uint8), photometric="rgb")
    with pytest.raises(FrameFormatError, match=r"shape \(8, 9, 3\)"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", [None, "lzw"])
@pytest.mark.parametrize("keep", [0.35, 0.6, 0.9])
def test_truncated_tiff_yields_what_is_good_and_names_page_and_bytes(tmp_path, expected, keep, compression):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for frame in expected:
            tiff.write(frame, contiguous=False, metadata=None, compression=compression, photometric="minisblack")
    size = int((tmp_path / "a.tif").stat().st_size * keep)
    os.truncate(tmp_path / "a.tif", size)
    taken, error = read_until_error(tmp_path / "a.tif")
    assert 0 < len(taken) < len(expected)
    np.testing.assert_array_equal(taken, expected[: len(taken)])
    assert f"page {len(taken)}" in error.what
    assert f"{size} bytes" in error.what


def test_truncated_imagej_stack_above_4_gb(tmp_path, expected):
    path = imagej_with_one_directory(tmp_path, expected)
    os.truncate(path, path.stat().st_size - 1000)
    taken, error = read_until_error(path)
    np.testing.assert_array_equal(taken, expected[:4])
    assert "page 5" not in error.what
    assert "page 4" in error.what


def test_broken_compressed_page(tmp_path, expected):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for frame in expected:
            tiff.write(frame, contiguous=False, metadata=None, compression="zlib", photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        offset = tiff.pages[4].dataoffsets[0]
    with (tmp_path / "a.tif").open("r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 32)
    taken, error = read_until_error(tmp_path / "a.tif")
    np.testing.assert_array_equal(taken, expected[:4])
    assert "page 4" in error.what


def test_directories_in_a_circle_end(tmp_path, expected):
    pages(tmp_path / "a.tif", expected[:1])
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        first, place = tiff.pages.first.offset, tiff.pages.next_page_offset
    with (tmp_path / "a.tif").open("r+b") as file:
        file.seek(place)
        file.write(first.to_bytes(4, "little"))
    _, error = read_until_error(tmp_path / "a.tif")
    assert "there is no directory" in error.what


@pytest.mark.parametrize("content", [b"", b"II*\0", b"not a tiff at all", b"II*\0\xff\xff\0\0", b"II*\0\0\0\0\0"])
def test_not_a_tiff(tmp_path, content):
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(FrameFormatError, match=r"a\.tif"):
        read(tmp_path / "a.tif")


def test_truncated_raw(tmp_path, expected):
    path = raw(tmp_path, expected)
    os.truncate(path, 3 * 480 + 7)
    taken, error = read_until_error(path)
    np.testing.assert_array_equal(taken, expected[:3])
    assert "page 3: 7 bytes of 480; 7 frames need 3360 bytes, the file has 1447" in error.what


def test_file_that_holds_more_than_its_header_says_is_told(tmp_path, expected):
    path = raw(tmp_path, expected, Frames=5, Pixelsize=130)
    info = ReplaySource(ReplaySettings(path=path)).open()
    assert (info.frames, info.pixel_size_nm) == (5, 130)
    assert "the first 5 of 7 frames" in info.description


@pytest.mark.parametrize(("sidecar", "text"), [("stack.yaml", "Frames: 3"), ("stack.yaml", "a: [")])
def test_incomplete_sidecar_is_named(tmp_path, expected, sidecar, text):
    path = raw(tmp_path, expected)
    (tmp_path / sidecar).write_text(text)
    with pytest.raises(FrameFormatError, match=r"stack\.yaml") as error:
        read(path)
    assert "Byte Order" in error.value.limit


def test_missing_sidecar_is_named(tmp_path):
    (tmp_path / "a.dax").write_bytes(b"")
    with pytest.raises(FrameFormatError, match=r"needs a\.inf beside it"):
        read(tmp_path / "a.dax")


def test_shape_that_changes(tmp_path, expected):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for frame in [*expected[:2], expected[2][:, :10]]:
            tiff.write(frame, contiguous=False, metadata=None, photometric="minisblack")
    taken, error = read_until_error(tmp_path / "a.tif")
    assert len(taken) == 2
    assert "frame 2" in error.what
    assert "(12, 10)" in error.what
    assert "(12, 20)" in error.limit


def test_no_such_file_names_what_is_there(tmp_path, expected):
    pages(tmp_path / "cell_05.tif", expected)
    with pytest.raises(FrameFormatError, match="no such file") as error:
        read(tmp_path / "cell_5.tif")
    assert "cell_05.tif" in error.value.remedy
    with pytest.raises(FrameFormatError, match="no such file") as error:
        read(tmp_path / "not" / "there" / "a.tif")
    assert f"exists is {tmp_path};" in error.value.limit


def test_format_that_is_not_read(tmp_path):
    (tmp_path / "a.czi").write_bytes(b"x")
    with pytest.raises(FrameFormatError, match=r"\.czi"):
        read(tmp_path / "a.czi")


def test_folder_without_tiff(tmp_path):
    with pytest.raises(FrameFormatError, match="holds no TIFF file"):
        read(tmp_path)
