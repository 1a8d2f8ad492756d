"""The image as files: densities and sizes come back from the TIFF, the PNG has the colours and the scale bar."""

import numpy as np
import pytest
import tifffile
from imagecodecs import png_decode

from models.localizations import Localizations
from stream.errors import StorageFault
from stream.picture import colours, image, scale_bar
from stream.picture.render import Renderer, RenderSettings


def drawn(width_nm: float, height_nm: float, pixel_nm: float = 10, count: int = 300) -> Renderer:
    random = np.random.default_rng(0)
    columns = {"x_nm": random.uniform(0, width_nm, count), "y_nm": random.uniform(0, height_nm, count)}
    columns |= {"sigma_x_nm": np.full(count, 12.0), "sigma_y_nm": np.full(count, 20.0), "frame": np.zeros(count)}
    renderer = Renderer(width_nm, height_nm, RenderSettings(pixel_nm=pixel_nm, tile_px=64, max_sigma_nm=50))
    renderer.add(Localizations(columns))
    return renderer


def test_tiff_holds_every_density_at_every_level(tmp_path):
    renderer = drawn(3000, 2000)
    image.write_ome_tiff(tmp_path / "render.ome.tif", renderer.pyramid)
    with tifffile.TiffFile(tmp_path / "render.ome.tif") as tiff:
        assert tiff.is_ome
        series = tiff.series[0]
        assert (series.axes, series.dtype) == ("YX", np.float32)
        assert [level.shape for level in series.levels] == [(200, 300), (100, 150), (50, 75), (25, 38)]
        for number, level in enumerate(series.levels):
            np.testing.assert_array_equal(level.asarray(), renderer.image(number) / 4**number)
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
        assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeXUnit"]) == (0.01, "µm")
        assert tiff.pages[0].tile == (64, 64)
    assert [path.name for path in tmp_path.iterdir()] == ["render.ome.tif"]


def test_tiff_of_a_field_smaller_than_a_tile(tmp_path):
    renderer = drawn(300, 200)
    image.write_ome_tiff(tmp_path / "render.ome.tif", renderer.pyramid)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "render.ome.tif"), renderer.image())


def test_png_shows_the_field_with_a_scale_bar(tmp_path):
    renderer = drawn(6000, 4000)
    image.write_png(tmp_path / "render.png", renderer.pyramid)
    picture = png_decode((tmp_path / "render.png").read_bytes())
    assert picture.shape == (400, 600, 3)
    white = (picture[380:] == 255).all(axis=2)
    assert white.any(axis=0).sum() == 100  # 1 µm
    density = renderer.image()
    expected = colours.hot(density, colours.white_point(density))
    np.testing.assert_array_equal(picture[:300, :400], expected[:300, :400])


def test_png_is_never_wider_than_it_may_be(tmp_path):
    renderer = drawn(60_000, 500, count=10)
    image.write_png(tmp_path / "render.png", renderer.pyramid)
    assert png_decode((tmp_path / "render.png").read_bytes()).shape == (25, 3000, 3)


def test_a_folder_that_is_gone_is_a_storage_fault(tmp_path):
    with pytest.raises(StorageFault, match="is gone"):
        image.write_ome_tiff(tmp_path / "nowhere" / "a.ome.tif", drawn(300, 200).pyramid)
    with pytest.raises(StorageFault, match="is gone"):
        image.write_png(tmp_path / "nowhere" / "a.png", drawn(300, 200).pyramid)


def test_an_empty_image_is_black(tmp_path):
    image.write_png(tmp_path / "render.png", drawn(2000, 2000, count=0).pyramid)
    assert png_decode((tmp_path / "render.png").read_bytes())[:100].max() == 0


def test_white_does_not_follow_one_bright_spot():
    density = np.ones((100, 100), np.float32)
    density[0, 0] = 1e6
    assert colours.white_point(density) == 1


def test_a_picture_goes_from_black_to_white():
    ramp = np.linspace(0, 2, 500, dtype=np.float32)[None]
    colour = colours.hot(ramp, white=1.0).astype(int)
    assert colour[0, 0].tolist() == [0, 0, 0]
    assert colour[0, -1].tolist() == colours.colour_map("ember")[-1].tolist()
    assert (np.diff(colour.sum(axis=2)) >= 0).all()


@pytest.mark.parametrize(("pixel_nm", "length_px"), [(10.0, 100), (5.0, 100), (160.0, 62), (1.0, 100)])
def test_the_scale_bar_is_as_long_as_it_says(pixel_nm, length_px):
    picture = np.zeros((300, 500, 3), np.uint8)
    scale_bar.draw(picture, pixel_nm)
    assert picture[290].all(axis=1).sum() == length_px


def test_a_picture_too_small_for_a_scale_bar_has_none():
    picture = np.zeros((20, 20, 3), np.uint8)
    scale_bar.draw(picture, 10.0)
    assert not picture.any()


NAMES = ("600 nm", "680 nm")


def in_colours(width_nm: float, height_nm: float, count: int = 300) -> Renderer:
    random = np.random.default_rng(0)
    columns = {"x_nm": random.uniform(0, width_nm, count), "y_nm": random.uniform(0, height_nm, count)}
    columns |= {"sigma_x_nm": np.full(count, 12.0), "sigma_y_nm": np.full(count, 20.0), "frame": np.zeros(count)}
    settings = RenderSettings(pixel_nm=10, tile_px=64, max_sigma_nm=50)
    renderer = Renderer(width_nm, height_nm, settings, NAMES)
    renderer.add(Localizations(columns | {"channel": np.arange(count) % 3 - 1}))
    return renderer


def test_tiff_has_a_plane_for_each_channel_which_add_up(tmp_path):
    renderer = in_colours(3000, 2000)
    image.write_ome_tiff(tmp_path / "render.ome.tif", renderer.pyramid, renderer.planes)
    with tifffile.TiffFile(tmp_path / "render.ome.tif") as tiff:
        series, pixels = tiff.series[0], tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
        assert (series.axes, series.shape) == ("CYX", (3, 200, 300))
        assert [channel["Name"] for channel in pixels["Channel"]] == [*NAMES, "not told"]
        for number, level in enumerate(series.levels):
            planes = level.asarray() * 4**number
            assert planes.sum((1, 2)) == pytest.approx([100, 100, 100], rel=1e-3)
            np.testing.assert_allclose(planes.sum(0), renderer.image(number), atol=1e-4)


def test_png_of_channels_has_their_colours(tmp_path):
    renderer = Renderer(1280, 1280, RenderSettings(pixel_nm=10, tile_px=64, max_sigma_nm=50), NAMES)
    x_nm, sigma = np.array([205.0, 605.0, 1005.0]), np.full(3, 20.0)
    place = {"frame": np.zeros(3), "x_nm": x_nm, "y_nm": np.full(3, 405.0), "sigma_x_nm": sigma, "sigma_y_nm": sigma}
    renderer.add(Localizations(place | {"channel": np.array([0, 1, -1])}))
    image.write_png(tmp_path / "render.png", renderer.pyramid, renderer.planes)
    picture = png_decode((tmp_path / "render.png").read_bytes())
    green, magenta, grey = picture[40, [20, 60, 100]].astype(int)
    assert green[1] > 1.3 * green[0]
    assert min(magenta[0], magenta[2]) > 1.3 * magenta[1]
    assert np.ptp(grey) <= 1
    assert grey[0] > 150
