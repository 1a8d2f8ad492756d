"""The camera of the rig: scalars, maps, and maps that do not fit."""

from pathlib import Path

import numpy as np
import pytest

from stream.calibration import camera
from stream.config import CameraSettings
from stream.errors import RigError

SHAPE = (6, 8)


def settings(maps: Path | None = None, **values: float) -> CameraSettings:
    return CameraSettings(pixel_size_nm=100, maps=maps, **values)


def saved(folder: Path, **maps: np.ndarray) -> Path:
    np.savez(folder / "maps.npz", **maps)
    return folder / "maps.npz"


def test_counts_become_photo_electrons() -> None:
    made = camera(settings(offset_adu=90, gain_e_per_adu=4.0, em_gain=100), *SHAPE)
    np.testing.assert_allclose(made.photo_electrons(np.full(SHAPE, 190, np.uint16)), 100 * 4.0 / 100)


def test_a_map_replaces_its_number_and_no_other(tmp_path: Path) -> None:
    gain = np.random.default_rng(1).uniform(0.4, 0.6, SHAPE)
    made = camera(settings(saved(tmp_path, gain_e_per_adu=gain), offset_adu=90, read_noise_e=2.5), *SHAPE)
    np.testing.assert_allclose(made.photo_electrons(np.full(SHAPE, 190, np.uint16)), 100 * gain, rtol=1e-6)
    assert made.read_noise_e == 2.5


@pytest.mark.parametrize(
    ("maps", "said"),
    [
        ({"offset_adu": np.ones((8, 6))}, r"shape \(8, 6\) \(transposed it would fit\), the frames have \(6, 8\)"),
        ({"offset_adu": np.ones((3, 4))}, r"shape \(3, 4\), the frames"),
        ({"gain": np.ones(SHAPE)}, r"holds \['gain'\]"),
        ({"gain_e_per_adu": np.zeros(SHAPE)}, "48 pixels that are not finite or not positive"),
        ({"read_noise_e": np.full(SHAPE, np.nan)}, "48 pixels"),
    ],
)
def test_maps_that_cannot_be_used(tmp_path: Path, maps: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(RigError, match=said) as error:
        camera(settings(saved(tmp_path, **maps)), *SHAPE)
    assert error.value.remedy


@pytest.mark.parametrize("content", [None, b"no archive", b"PK\x03\x04 cut off"])
def test_a_file_that_holds_no_maps(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "maps.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RigError, match=r"maps\.npz") as error:
        camera(settings(path), *SHAPE)
    assert "offset_adu, gain_e_per_adu, read_noise_e" in error.value.limit


def test_one_array_alone_has_no_name(tmp_path: Path) -> None:
    np.save(tmp_path / "maps.npy", np.ones(SHAPE))
    with pytest.raises(RigError, match=r"maps\.npy"):
        camera(settings(tmp_path / "maps.npy"), *SHAPE)
