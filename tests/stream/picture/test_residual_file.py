"""The mean molecule as a file that others open: channels and heights with names and sizes."""

import numpy as np
import pytest
import tifffile

from models.guard.molecules.mean_residual import KINDS, MeanResidual
from stream.errors import StorageFault
from stream.picture.residual_file import write

HEIGHTS = (-520.0, -260.0, 0.0, 260.0, 520.0)


def images(heights: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(4, heights, 13, 13)).astype(np.float32)


def test_it_comes_back_with_names_sizes_and_counts(tmp_path):
    found = MeanResidual(images(5), HEIGHTS, (12.0, 200.0, 640.0, 210.0, 80.0), 108.0)
    found.images[:, 0] = np.nan
    write(tmp_path / "residual.ome.tif", found)
    with tifffile.TiffFile(tmp_path / "residual.ome.tif") as file:
        (series,) = file.series
        assert series.axes == "CZYX"
        np.testing.assert_array_equal(series.asarray(), found.images)
        image = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
    pixels = image["Pixels"]
    assert [channel["Name"] for channel in pixels["Channel"]] == list(KINDS)
    assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeZ"]) == (0.108, 0.26)
    assert "260 nm: 210" in image["Description"]
    assert [path.name for path in tmp_path.iterdir()] == ["residual.ome.tif"]


def test_in_focus_it_has_no_heights(tmp_path):
    write(tmp_path / "residual.ome.tif", MeanResidual(images(1), (0.0,), (500.0,), 100.0))
    assert tifffile.imread(tmp_path / "residual.ome.tif").shape == (4, 13, 13)


def test_a_disk_that_is_gone_is_a_fault_of_the_storage(tmp_path):
    with pytest.raises(StorageFault):
        write(tmp_path / "gone" / "residual.ome.tif", MeanResidual(images(1), (0.0,), (500.0,), 100.0))
