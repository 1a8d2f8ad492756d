"""The recorder in its own process: what it keeps, what it says, what it does when the disk is full."""

import json
from multiprocessing import get_context

import numpy as np
import pytest
import zarr

from stream.acquisition import recorder
from stream.acquisition.ome_zarr import OmeZarrWriter
from stream.acquisition.recorder import RECORD
from stream.acquisition.ring import Ring
from stream.errors import OutputError, StorageFault
from stream.frame import Batch, Frame, StreamInfo

INFO = StreamInfo(512, 400, exposure_ms=20.0, description="test camera")
FRAMES_PER_CHUNK = 20


def batch(pixels: np.ndarray, index: np.ndarray) -> Batch:
    times = index * 0.025
    return Batch(pixels, index.astype(np.int64), times, times, times)


@pytest.fixture
def movie() -> np.ndarray:
    return np.random.default_rng(3).poisson(110, (50, 512, 400)).astype(np.uint16)


def test_it_is_an_ome_zarr_image_with_index_and_time(tmp_path, movie):
    writer = OmeZarrWriter(tmp_path / "a.ome.zarr", INFO, pixel_size_nm=108.0)
    index = np.arange(50) + np.repeat([0, 5], [10, 40])  # frames 10..14 were lost
    on_disk = [
        writer.append(batch(movie[part], index[part])).total for part in (slice(30), slice(30, 33), slice(33, 50))
    ]
    assert on_disk == [FRAMES_PER_CHUNK, 0, FRAMES_PER_CHUNK]
    assert writer.close().to_list() == [(45, 54)]
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="r")
    np.testing.assert_array_equal(group["0"][:], movie)
    np.testing.assert_array_equal(group["frame_index"][:], index)
    np.testing.assert_allclose(group["camera_time_s"][:], index * 0.025)


def test_its_metadata_gives_axes_units_and_scale(tmp_path, movie):
    writer = OmeZarrWriter(tmp_path / "a.ome.zarr", INFO, pixel_size_nm=108.0)
    writer.append(batch(movie, np.arange(50)))
    assert json.loads((tmp_path / "a.ome.zarr" / ".zattrs").read_text())["livesmlm"]["complete"] is False
    writer.close()
    attributes = json.loads((tmp_path / "a.ome.zarr" / ".zattrs").read_text())
    (image,) = attributes["multiscales"]
    assert image["version"] == "0.4"
    assert [(axis["name"], axis["type"], axis["unit"]) for axis in image["axes"]] == [
        ("t", "time", "second"), ("y", "space", "micrometer"), ("x", "space", "micrometer")
    ]  # fmt: skip
    assert image["datasets"][0]["coordinateTransformations"][0]["scale"] == pytest.approx([0.025, 0.108, 0.108])
    assert attributes["livesmlm"]["complete"] is True
    assert attributes["livesmlm"]["frames"] == 50


def test_what_was_written_before_a_crash_can_be_read(tmp_path, movie):
    writer = OmeZarrWriter(tmp_path / "a.ome.zarr", INFO, pixel_size_nm=108.0)
    writer.append(batch(movie, np.arange(50)))  # and never closed
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="r")
    kept = group["frame_index"].shape[0]
    assert kept == 2 * FRAMES_PER_CHUNK
    np.testing.assert_array_equal(group["0"][:kept], movie[:kept])


def test_a_folder_that_exists_is_left_alone(tmp_path):
    (tmp_path / "a.ome.zarr").mkdir()
    with pytest.raises(OutputError, match="exists"):
        OmeZarrWriter(tmp_path / "a.ome.zarr", INFO, pixel_size_nm=108.0)


@pytest.fixture
def ring():
    with Ring.create((512, 400), 8, {RECORD: "lossless"}) as ring:
        yield ring


def record(ring: Ring, recording: recorder.Recording, movie: np.ndarray) -> None:
    """Write frames as the source process does, waiting while the recorder needs the slot, and see them recorded."""
    for number, pixels in enumerate(movie):
        frame = Frame(pixels, 2 * number, camera_time_s=number / 10)
        while not ring.write(frame):
            recording.poll(0.005)
    ring.finish()
    recording.join()


def test_every_frame_of_the_ring_is_recorded(tmp_path, movie, ring):
    with recorder.start(ring.name, tmp_path / "a.ome.zarr", INFO, 108.0) as recording:
        record(ring, recording, movie)
    assert recording.recorded.to_list() == [(index, index) for index in range(0, 100, 2)]
    group = zarr.open_group(tmp_path / "a.ome.zarr", mode="r")
    np.testing.assert_array_equal(group["0"][:], movie)
    np.testing.assert_array_equal(group["frame_index"][:], np.arange(0, 100, 2))


def test_an_output_that_cannot_be_made_is_raised_and_holds_nobody_up(tmp_path, ring, movie):
    with recorder.start(ring.name, tmp_path / "no" / "a.ome.zarr", INFO, 108.0) as recording:
        with pytest.raises(OutputError, match="cannot be created"):
            recording.join()
        for number, pixels in enumerate(movie):
            assert ring.write(Frame(pixels, number))


def limited(task, connection) -> None:
    """Be a recorder on a disk that takes files up to 1 MB: a chunk is larger."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
    recorder.main(task, connection)


def test_a_full_disk_is_a_fault_and_holds_nobody_up(tmp_path, ring, movie):
    pytest.importorskip("resource", reason="needs a limit of file size")
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    task = recorder.Task(ring.name, tmp_path / "a.ome.zarr", INFO, 108.0)
    process = context.Process(target=limited, args=(task, theirs))
    process.start()
    theirs.close()
    with recorder.Recording(process, ours, task.path) as recording:
        with pytest.raises(StorageFault, match="could not be written") as error:
            record(ring, recording, movie)
        assert "0 frames recorded before" in error.value.remedy
        assert all(ring.write(Frame(pixels, 1000 + number)) for number, pixels in enumerate(movie))


def test_a_recorder_that_dies_is_a_fault(tmp_path, ring):
    with recorder.start(ring.name, tmp_path / "a.ome.zarr", INFO, 108.0) as recording:
        recording._process.kill()
        with pytest.raises(StorageFault, match=r"died \(exit code -9\)"):
            recording.join()
