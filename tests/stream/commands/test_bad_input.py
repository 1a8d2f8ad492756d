"""Bad input: the exit code, and a message with value, limit and remedy; what was taken before is safe."""

import socket
from pathlib import Path

import numpy as np
import pytest
import tifffile

from models.camera import Camera
from stream.books.ledger import Ledger
from stream.readers.tables import read_table


def stack(path: Path, frames: int = 20, shape: tuple[int, int] = (64, 64), dtype: str = "u2") -> Path:
    pixels = np.random.default_rng(1).poisson(120, (frames, *shape)).astype(dtype)
    tifffile.imwrite(path, pixels, photometric="minisblack")
    return path


def test_no_such_rig(livesmlm, tmp_path: Path) -> None:
    ran = livesmlm("run", tmp_path / "nothing.toml")
    assert ran.returncode == 2
    assert "nothing.toml: No such file" in ran.stderr
    assert "remedy" in ran.stderr


def test_three_wrong_fields_are_named_at_once(rig, livesmlm) -> None:
    text = '[camera]\npixel_size_nm = -5\nofset_adu = 100\nem_gain = 0.5\n[source]\nkind = "simulated"\n'
    ran = livesmlm("run", rig(text=text))
    assert ran.returncode == 2
    for part in ("3 wrong fields", "pixel_size_nm = -5", "ofset_adu: is not a field", "em_gain = 0.5", "greater than"):
        assert part in ran.stderr


def test_the_pixel_size_has_no_default(rig, livesmlm) -> None:
    ran = livesmlm("run", rig(text='[camera]\noffset_adu = 1\n[source]\nkind = "simulated"\n'))
    assert ran.returncode == 2
    assert "pixel_size_nm: is required" in ran.stderr


def test_outside_the_sample_space(rig, livesmlm, tmp_path: Path) -> None:
    settings = rig()
    settings.write_text(settings.read_text().replace("pixel_size_nm = 100", "pixel_size_nm = 65"))
    ran = livesmlm("run", settings, "--out", tmp_path / "out", "--no-page")
    assert ran.returncode == 2
    assert "pixel_size_nm = 65 is outside 80 to 160" in ran.stderr
    assert not (tmp_path / "out").exists()


def test_no_such_stack(rig, livesmlm, tmp_path: Path) -> None:
    ran = livesmlm("replay", tmp_path / "gone.tif", "--rig", rig(), "--out", tmp_path / "out", "--no-page")
    assert ran.returncode == 2
    assert "gone.tif" in ran.stderr


def test_a_stack_of_floats(rig, livesmlm, tmp_path: Path) -> None:
    path = stack(tmp_path / "float.tif", dtype="f4")
    ran = livesmlm("replay", path, "--rig", rig(), "--out", tmp_path / "out", "--no-page")
    assert ran.returncode == 2
    assert "float32" in ran.stderr
    assert "uint16" in ran.stderr


def test_a_truncated_stack_keeps_what_came_before(rig, livesmlm, tmp_path: Path) -> None:
    path = tmp_path / "cut.tif"
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        for frame in np.random.default_rng(1).poisson(120, (40, 64, 64)).astype("u2"):
            tiff.write(frame, contiguous=False)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    ran = livesmlm("replay", path, "--rig", rig(), "--out", tmp_path / "out", "--no-page")
    assert ran.returncode == 2
    assert "cut.tif" in ran.stderr
    ledger = Ledger.read(tmp_path / "out" / "ledger.json")
    assert ledger.ended.startswith("fault")
    assert ledger.check() == []
    assert 15 < ledger.analysed.total < 40
    assert ledger.analysed.total == ledger.received.total
    read_table(tmp_path / "out" / "table.parquet")


def test_an_output_folder_that_holds_something(rig, livesmlm, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "locs.hdf5").write_text("precious")
    ran = livesmlm("run", rig(), "--out", out, "--frames", 5, "--no-page")
    assert ran.returncode == 2
    assert "is not empty" in ran.stderr
    assert "out-2" in ran.stderr
    assert (out / "locs.hdf5").read_text() == "precious"


@pytest.mark.parametrize("what", ["publish", "page"])
def test_a_port_in_use(rig, livesmlm, tmp_path: Path, what: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = rig()
        if what == "publish":
            settings.write_text(settings.read_text().replace("127.0.0.1:*", f"127.0.0.1:{port}"))
        page = ["--port", port] if what == "page" else ["--no-page"]
        ran = livesmlm("run", settings, "--frames", 5, "--out", tmp_path / "out", *page)
    assert ran.returncode == 2
    assert str(port) in ran.stderr
    assert "remedy" in ran.stderr


def test_maps_of_another_shape(rig, livesmlm, tmp_path: Path) -> None:
    np.savez(tmp_path / "maps.npz", offset_adu=np.full((64, 32), 100.0))
    settings = rig()
    settings.write_text(settings.read_text().replace("offset_adu = 100", 'maps = "maps.npz"'))
    path = stack(tmp_path / "stack.tif", shape=(32, 64))
    ran = livesmlm("replay", path, "--rig", settings, "--out", tmp_path / "out", "--no-page")
    assert ran.returncode == 2
    assert "(64, 32) (transposed it would fit)" in ran.stderr


def test_maps_that_lie_wrongly_on_the_frames(rig, livesmlm, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    offset, noise = 100 + rng.normal(0, 2, (64, 64)), np.exp(rng.normal(0.4, 0.4, (64, 64)))
    camera = Camera(offset.astype("f4"), 2.0, noise.astype("f4"))
    tifffile.imwrite(tmp_path / "stack.tif", camera.expose(np.full((20, 64, 64), 10.0), rng), photometric="minisblack")
    settings = rig()
    text = settings.read_text().split("[source]")[0].replace("offset_adu = 100", 'maps = "maps.npz"')
    settings.write_text(text + '[source]\nkind = "replay"\npath = "stack.tif"\n')
    for maps, said in (((offset, noise), False), ((offset.T, noise.T), True)):
        np.savez(tmp_path / "maps.npz", offset_adu=maps[0], read_noise_e=maps[1])
        ran = livesmlm("check", settings)
        assert ran.returncode in (0, 3), ran.stderr
        assert ("maps fit the frames transposed" in ran.stderr) == said


def test_a_model_that_is_none(rig, livesmlm, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    settings = rig(f'[model]\nname = "{(tmp_path / "model.onnx").as_posix()}"\n')
    ran = livesmlm("check", settings)
    assert ran.returncode == 2
    assert "cannot load model" in ran.stderr
    ran = livesmlm("check", rig('[model]\nname = "decode"\n'))
    assert ran.returncode == 2
    assert "localizer-2d" in ran.stderr


def test_a_model_that_locates_nothing(rig, livesmlm) -> None:
    ran = livesmlm("check", rig('[model]\nname = "2d-bgnet"\n'))
    assert ran.returncode == 2
    assert "finds no molecules" in ran.stderr


def test_what_was_assumed_is_said(rig, livesmlm) -> None:
    ran = livesmlm("check", rig(), "--json")
    assert "read_noise_e is not given: 1.5 is assumed" in ran.stdout
    assert ran.returncode in (0, 3)


def test_optics_that_cannot_be_watched_are_named_before_the_first_frame(rig, livesmlm) -> None:
    ran = livesmlm("check", rig('[phase]\nmode = "molecules"\n'))
    assert ran.returncode == 2
    assert "finds no z" in ran.stderr
