"""`livesmlm slm`: a mask becomes an image for the modulator, or it is said why it cannot."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from imagecodecs import png_decode

from models.masks.file import MaskFile
from stream import config
from stream.commands.slm import in_terminal
from stream.errors import InputError, LiveSMLMError
from tests.stream.sources.micro_manager import Server

RIG = "[camera]\npixel_size_nm = 110\n[slm]\nwidth_px = 40\nheight_px = 32\npupil_px = 16\n"


@pytest.fixture
def mask(tmp_path: Path) -> str:
    path = tmp_path / "hershko.mask.npz"
    MaskFile(np.linspace(0, 6, 64).reshape(8, 8), 560.0).save(path)
    return str(path)


def rig(folder: Path, more: str = "") -> config.Rig:
    (folder / "slm.csv").write_text("grey,560,650\n0,0,0\n65535,7,6\n")
    (folder / "rig.toml").write_text(RIG + more)
    return config.read(folder / "rig.toml")


def test_eight_bits_as_png(tmp_path: Path, mask: str, capsys) -> None:
    assert in_terminal(mask, rig(tmp_path), tmp_path / "mask.png", None, False, False) == 0
    image = png_decode((tmp_path / "mask.png").read_bytes())
    assert (image.shape, image.dtype) == ((32, 40), np.uint8)
    assert image[8, 12] == 0
    assert image[23, 27] == round(6 / 6.2832 * 255)
    assert "stroke 6.28 rad at 560 nm" in capsys.readouterr().out


def test_sixteen_bits_by_a_table_as_tiff(tmp_path: Path, mask: str, capsys) -> None:
    calibrated = rig(tmp_path, 'bits = 16\ncalibration = "slm.csv"\n')
    assert in_terminal(mask, calibrated, tmp_path / "mask.tif", None, False, False) == 0
    image = tifffile.imread(tmp_path / "mask.tif")
    assert image.dtype == np.uint16
    assert image.max() == pytest.approx(6 / 7 * 65535, abs=1)
    assert "7.00 rad at 560 nm, 6.00 rad at 650 nm" in capsys.readouterr().out


def test_a_mask_by_name(tmp_path: Path) -> None:
    assert in_terminal("tetrapod-3", rig(tmp_path), tmp_path / "mask.png", 670.0, False, False) == 0


@pytest.mark.parametrize(
    ("name", "more", "out", "wavelength", "what"),
    [
        (None, "", None, None, "nothing to do"),
        (None, "", "mask.jpg", None, "an image"),
        (None, "", "mask.png", 600.0, "are for 560 nm"),
        (None, "stroke_rad = 4.0\n", "mask.png", None, "6.00 rad at 560 nm, the modulator has 4.00"),
        (None, 'calibration = "slm.csv"\n', "mask.png", None, "65535, 8 bits to 255"),
        (None, 'calibration = "none.csv"\n', "mask.png", None, "none.csv"),
        ("tetrapod-3", "", "mask.png", None, "stated for no wavelength"),
        ("pentapod", "", "mask.png", 600.0, "masks by name: astigmatism"),
    ],
)
def test_what_cannot_be(tmp_path: Path, mask: str, name, more: str, out, wavelength, what: str) -> None:
    where = None if out is None else tmp_path / out
    with pytest.raises(InputError, match=what):
        in_terminal(name or mask, rig(tmp_path, more), where, wavelength, False, False)


def test_a_file_is_not_written_over(tmp_path: Path, mask: str) -> None:
    (tmp_path / "mask.png").write_bytes(b"")
    with pytest.raises(LiveSMLMError, match="exists already"):
        in_terminal(mask, rig(tmp_path), tmp_path / "mask.png", None, False, False)


@pytest.mark.filterwarnings(r"ignore:Unclosed socket <zmq.Socket\(zmq.REQ\):ResourceWarning")
def test_the_device_of_a_running_micro_manager_shows_it(tmp_path: Path, mask: str, capsys) -> None:
    server = Server("--modulator", 24)
    try:
        more = f'[source]\nkind = "micromanager"\nbackend = "bridge"\nport = {server.port}\n'
        text = RIG.replace("= 40", "= 24").replace("= 32", "= 24") + more
        (tmp_path / "bridge.toml").write_text(text)
        assert in_terminal(mask, config.read(tmp_path / "bridge.toml"), tmp_path / "m.tif", None, False, True) == 0
        image = tifffile.imread(tmp_path / "m.tif")
        assert "Panel shows it" in capsys.readouterr().out
        assert server.somebody("slmSum", "Panel") == str(image.astype(int).sum())
        (tmp_path / "bridge.toml").write_text(text.replace("width_px = 24", "width_px = 20"))
        with pytest.raises(LiveSMLMError, match="Panel has 24 x 24"):
            in_terminal(mask, config.read(tmp_path / "bridge.toml"), None, None, False, True)
    finally:
        server.kill()


def test_without_micro_manager_nothing_is_shown(tmp_path: Path, mask: str) -> None:
    with pytest.raises(InputError, match="not micromanager"):
        in_terminal(mask, rig(tmp_path), None, None, False, True)


def test_a_panel_must_be_stated(tmp_path: Path, mask: str) -> None:
    (tmp_path / "bare.toml").write_text("[camera]\npixel_size_nm = 110\n")
    with pytest.raises(InputError, match="width_px, height_px, pupil_px not given"):
        in_terminal(mask, config.read(tmp_path / "bare.toml"), tmp_path / "mask.png", None, False, False)
