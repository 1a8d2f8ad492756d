"""OME-Zarr as a stack: the contract for ours and for those of other programs, gaps, what is refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from stream.acquisition.ome_zarr import OmeZarrWriter
from stream.errors import FrameFormatError
from stream.frame import Batch, StreamInfo
from stream.sources.replay import ReplaySettings, ReplaySource
from tests.contracts import SourceContract

STEPS = {"t": 0.02, "y": 0.108, "x": 0.108}
UNITS = {"t": "second", "y": "micrometer", "x": "micrometer"}


@pytest.fixture
def expected() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 65536, (7, 12, 20), np.uint16)


def ours(path: Path, stack: np.ndarray, index: np.ndarray | None = None, verifiable: bool = True) -> OmeZarrWriter:
    """Record frames as the recorder does; the writer is not closed."""
    index = np.arange(len(stack)) if index is None else index
    info = StreamInfo(*stack.shape[1:], exposure_ms=20.0, verifiable=verifiable, description="test camera")
    writer = OmeZarrWriter(path, info, pixel_size_nm=108.0)
    writer.append(Batch(stack, index, index * 0.025, index * 0.025, index / 8))
    return writer


def other(path: Path, stack: np.ndarray, axes: str, version: str, chunk: int = 3) -> Path:
    """Write an image as another program does."""
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    chunks = tuple(chunk if axis == "t" else length for axis, length in zip(axes, stack.shape, strict=True))
    array = group.create_array("0", shape=stack.shape, chunks=chunks, dtype=stack.dtype)
    array[:] = stack
    scale = [STEPS.get(axis, 1.0) for axis in axes]
    image = {
        "axes": [{"name": axis} | ({"unit": UNITS[axis]} if axis in UNITS else {}) for axis in axes],
        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}],
    }
    group.attrs.update(
        {"multiscales": [image]} if version == "0.4" else {"ome": {"version": version, "multiscales": [image]}}
    )
    return path


class OmeZarrContract(SourceContract):
    kind = "replay"

    @pytest.fixture
    def settings(self, tmp_path, expected):
        return ReplaySettings(path=self.write(tmp_path / "a.ome.zarr", expected))

    @pytest.fixture
    def source(self, settings):
        return ReplaySource(settings)


class TestOurs(OmeZarrContract):
    def write(self, path, stack):
        ours(path, stack).close()
        return path


class TestVersion04(OmeZarrContract):
    def write(self, path, stack):
        return other(path, stack, "tyx", "0.4")


class TestVersion05WithAxesOfLengthOne(OmeZarrContract):
    def write(self, path, stack):
        return other(path, stack[:, None, None], "tczyx", "0.5")


class TestTimeIsNotFirst(OmeZarrContract):
    def write(self, path, stack):
        return other(path, stack[None], "ctyx", "0.5", chunk=2)


def test_a_recording_keeps_indices_times_and_what_is_known_of_the_camera(tmp_path, expected):
    index = np.array([3, 4, 5, 9, 10, 11, 20])
    ours(tmp_path / "a.ome.zarr", expected, index).close()
    source = ReplaySource(ReplaySettings(path=tmp_path / "a.ome.zarr", rate="recorded"))
    info = source.open()
    assert (info.frames, info.verifiable, info.exposure_ms) == (7, True, 20.0)
    assert info.pixel_size_nm == pytest.approx(108)
    assert source._period_s == pytest.approx(0.025)
    source = ReplaySource(ReplaySettings(path=tmp_path / "a.ome.zarr"))
    source.open()
    frames = list(source.frames())
    assert [frame.index for frame in frames] == index.tolist()
    np.testing.assert_allclose([frame.camera_time_s for frame in frames], index * 0.025)
    np.testing.assert_array_equal([frame.stage_z_um for frame in frames], index / 8)


def test_a_recording_of_before_the_stage_was_kept_is_replayed_all_the_same(tmp_path, expected):
    ours(tmp_path / "a.ome.zarr", expected).close()
    shutil.rmtree(tmp_path / "a.ome.zarr" / "stage_z_um")
    source = ReplaySource(ReplaySettings(path=tmp_path / "a.ome.zarr"))
    source.open()
    frames = list(source.frames())
    np.testing.assert_array_equal([frame.pixels for frame in frames], expected)
    assert np.isnan([frame.stage_z_um for frame in frames]).all()


def test_frames_that_were_numbered_by_arrival_stay_unverifiable(tmp_path, expected):
    ours(tmp_path / "a.ome.zarr", expected, verifiable=False).close()
    assert not ReplaySource(ReplaySettings(path=tmp_path / "a.ome.zarr")).open().verifiable


def test_a_recording_that_was_cut_short_gives_what_is_safe_and_says_so(tmp_path):
    stack = np.random.default_rng(6).integers(0, 65536, (50, 512, 400), np.uint16)
    ours(tmp_path / "a.ome.zarr", stack)  # 20 frames in a chunk, and never closed
    source = ReplaySource(ReplaySettings(path=tmp_path / "a.ome.zarr"))
    info = source.open()
    assert info.frames == 40
    assert info.description == "a.ome.zarr, as far as it was recorded"
    np.testing.assert_array_equal([frame.pixels for frame in source.frames()], stack[:40])


@pytest.mark.parametrize(("shape", "axes", "named"), [
    ((3, 2, 4, 5), "tcyx", r"c \(2\)"), ((3, 6, 4, 5), "tzyx", r"z \(6\)"), ((4, 5), "yx", r"its axes are y \(4\), x"),
    ((0, 4, 5), "tyx", "no frame"), ((3, 4, 5), "txy", "its axes are t"),
])  # fmt: skip
def test_other_axes_are_refused_with_their_lengths(tmp_path, shape, axes, named):
    other(tmp_path / "a.zarr", np.zeros(shape, np.uint16), axes, "0.5")
    with pytest.raises(FrameFormatError, match=named) as error:
        ReplaySource(ReplaySettings(path=tmp_path / "a.zarr")).open()
    assert "axes t, y and x" in error.value.limit


def test_pixels_that_are_not_camera_counts_are_refused(tmp_path):
    other(tmp_path / "a.zarr", np.zeros((3, 4, 5), np.float32), "tyx", "0.4")
    with pytest.raises(FrameFormatError, match="dtype float32"):
        ReplaySource(ReplaySettings(path=tmp_path / "a.zarr")).open()


def test_a_group_or_an_array_that_is_no_image_is_refused(tmp_path):
    zarr.open_group(tmp_path / "group.zarr", mode="w")
    zarr.create_array(tmp_path / "array.zarr", shape=(3, 4, 5), dtype="u2")
    for name in ("group.zarr", "array.zarr"):
        with pytest.raises(FrameFormatError, match=f"{name} is not an OME-Zarr image"):
            ReplaySource(ReplaySettings(path=tmp_path / name)).open()


@pytest.mark.parametrize("keep", [0, 10, 50, 1400])
@pytest.mark.parametrize(("version", "chunk"), [("0.4", "1.0.0"), ("0.5", "c/1/0/0")])
def test_a_chunk_that_was_cut_ends_the_stack_and_names_its_frames(tmp_path, expected, version, chunk, keep):
    file = other(tmp_path / "a.zarr", expected, "tyx", version) / "0" / chunk
    file.write_bytes(file.read_bytes()[:keep])
    source, taken = ReplaySource(ReplaySettings(path=tmp_path / "a.zarr")), []
    source.open()
    with pytest.raises(FrameFormatError, match="damaged in frames 3 to 5"):
        taken.extend(frame.pixels for frame in source.frames())
    np.testing.assert_array_equal(taken, expected[:3])


def test_a_recording_of_black_frames_is_whole_and_one_that_lacks_a_chunk_is_not(tmp_path, expected):
    ours(tmp_path / "a.ome.zarr", np.zeros_like(expected)).close()
    source = ReplaySource(ReplaySettings(path=tmp_path / "a.ome.zarr"))
    source.open()
    assert len(list(source.frames())) == 7
    (tmp_path / "a.ome.zarr" / "0" / "0" / "0" / "0").unlink()
    source.open()
    with pytest.raises(FrameFormatError, match="chunk 0 is missing"):
        list(source.frames())
