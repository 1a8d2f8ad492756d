"""The laws of drawing: mass is kept, at every level; a spot is its Gaussian; a batch costs only itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.stats import norm

from models.localizations import Localizations
from stream.errors import RigError, TableFormatError
from stream.picture.render import Renderer, RenderSettings

SMALL = RenderSettings(pixel_nm=10, tile_px=64, max_sigma_nm=90)
COUNTS = RenderSettings(pixel_nm=10, tile_px=64, max_sigma_nm=90, method="histogram")


def table(x_nm, y_nm, sigma_x_nm=15.0, sigma_y_nm=15.0) -> Localizations:
    x_nm, y_nm, sigma_x_nm, sigma_y_nm = np.broadcast_arrays(*np.atleast_1d(x_nm, y_nm, sigma_x_nm, sigma_y_nm))
    frame = np.zeros(x_nm.shape)
    return Localizations(
        {"frame": frame, "x_nm": x_nm, "y_nm": y_nm, "sigma_x_nm": sigma_x_nm, "sigma_y_nm": sigma_y_nm}
    )


def everywhere(count: int, seed: int = 0, width_nm: float = 3000, height_nm: float = 2000) -> Localizations:
    random = np.random.default_rng(seed)
    x_nm, y_nm = random.uniform(0, width_nm, count), random.uniform(0, height_nm, count)
    return table(x_nm, y_nm, *random.uniform(2, 60, (2, count)))


@given(
    x_nm=st.lists(st.floats(-100, 1700, width=32), min_size=1, max_size=20),
    y_nm=st.floats(-100, 1300, width=32),
    sigma_nm=st.floats(0.125, 200, width=32),
)
@settings(max_examples=60, deadline=None)
def test_the_sum_is_the_number_of_localizations_inside(x_nm, y_nm, sigma_nm):
    renderer = Renderer(1600, 1200, SMALL)
    renderer.add(table(x_nm, y_nm, sigma_nm, 20))
    inside = sum(0 <= x < 1600 and 0 <= y_nm < 1200 for x in x_nm)
    assert (renderer.drawn, renderer.left_out) == (inside, len(x_nm) - inside)
    for level in range(len(renderer.pyramid.levels)):
        assert renderer.image(level).sum() == pytest.approx(inside, rel=1e-5)


def test_a_spot_is_the_gaussian_integrated_over_pixels():
    renderer = Renderer(1280, 1280, SMALL)
    renderer.add(table(643.0, 322.0, 20.0, 35.0))
    edges = np.arange(0, 1290, 10)
    along_x, along_y = np.diff(norm.cdf(edges, 643, 20)), np.diff(norm.cdf(edges, 322, 35))
    np.testing.assert_allclose(renderer.image(), np.outer(along_y, along_x), atol=2e-4)


def test_a_spot_over_the_corner_of_four_tiles_is_one_spot():
    apart = Renderer(1280, 1280, SMALL)
    apart.add(table(640.0, 640.0))
    whole = Renderer(1280, 1280, RenderSettings(pixel_nm=10, tile_px=128))
    whole.add(table(640.0, 640.0))
    np.testing.assert_array_equal(apart.image(), whole.image())
    assert {(tile.row, tile.column) for tile in apart.changed() if tile.level == 0} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_histogram_counts():
    renderer = Renderer(640, 640, COUNTS)
    renderer.add(table([5.0, 9.99, 10.0], [25.0, 20.0, 29.0]))
    image = renderer.image()
    assert (image[2, 0], image[2, 1], image.sum()) == (2, 1, 3)


def test_levels_halve_and_sum():
    renderer = Renderer(3000, 2000, SMALL)
    renderer.add(everywhere(500))
    shapes = [renderer.image(level).shape for level in range(len(renderer.pyramid.levels))]
    assert shapes == [(200, 300), (100, 150), (50, 75), (25, 38)]
    fine, coarse = renderer.image(0), renderer.image(1)
    np.testing.assert_allclose(coarse, fine.reshape(100, 2, 150, 2).sum(axis=(1, 3)), rtol=1e-5)


def test_the_order_of_batches_does_not_matter():
    once, parts = Renderer(3000, 2000, SMALL), Renderer(3000, 2000, SMALL)
    both = everywhere(400)
    once.add(both)
    for rows in (slice(200, None), slice(0, 200)):
        parts.add(both.where(rows))
        list(parts.changed())
    for level in range(len(once.pyramid.levels)):
        np.testing.assert_allclose(parts.image(level), once.image(level), atol=1e-5)


def test_changed_tiles_rebuild_the_image_and_are_told_once():
    renderer = Renderer(3000, 2000, SMALL)
    copy = {}
    for seed in range(3):
        renderer.add(everywhere(20, seed))
        copy |= {(tile.level, tile.row, tile.column): tile for tile in renderer.changed()}
    assert list(renderer.changed()) == []
    for level in range(len(renderer.pyramid.levels)):
        rebuilt = np.zeros_like(renderer.pyramid.levels[level].values)
        for tile in (tile for tile in copy.values() if tile.level == level):
            rebuilt[tile.row, tile.column] = tile.values
        np.testing.assert_array_equal(rebuilt, renderer.pyramid.levels[level].values)


def test_only_what_was_drawn_on_changes():
    renderer = Renderer(20_000, 20_000, SMALL)
    renderer.add(everywhere(1000, width_nm=20_000, height_nm=20_000))
    list(renderer.changed())
    renderer.add(table(9300.0, 4800.0))
    tiles = list(renderer.changed())
    assert [tile.level for tile in tiles] == list(range(len(renderer.pyramid.levels)))[::-1]
    finest = tiles[-1]
    assert (finest.row, finest.column, finest.origin_nm, finest.pixel_nm) == (7, 14, (8960.0, 4480.0), 10.0)


def test_a_tile_taken_late_is_the_newest_one():
    renderer = Renderer(640, 640, COUNTS)
    renderer.add(table(5.0, 5.0))
    sweep = renderer.changed()
    renderer.add(table(5.0, 5.0))
    assert next(sweep).values[0, 0] == 2
    renderer.add(table(5.0, 5.0))
    assert list(sweep) == []
    assert next(renderer.changed()).values[0, 0] == 3


def test_what_is_not_a_number_is_counted_not_drawn():
    renderer = Renderer(640, 640, SMALL)
    renderer.add(table([np.nan, 5.0, 5.0, np.inf], 5.0, [1.0, np.nan, 9.0, 1.0]))
    assert (renderer.drawn, renderer.left_out) == (1, 3)
    assert renderer.image().sum() == pytest.approx(1)


def test_an_empty_table_changes_nothing():
    renderer = Renderer(640, 640, SMALL)
    renderer.add(table([], []))
    assert list(renderer.changed()) == []


def test_gaussians_need_an_uncertainty():
    bare = Localizations({"frame": np.zeros(1), "x_nm": np.ones(1), "y_nm": np.ones(1)})
    with pytest.raises(TableFormatError, match="histogram"):
        Renderer(640, 640, SMALL).add(bare)
    counts = Renderer(640, 640, COUNTS)
    counts.add(bare)
    assert counts.drawn == 1


def test_an_image_larger_than_memory_is_refused():
    with pytest.raises(RigError, match="pixel_nm"):
        Renderer(1e9, 1e9, RenderSettings(pixel_nm=5))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"pixel_nm": 1, "max_sigma_nm": 100}, "spots of 601 pixels"),
        ({"min_sigma_nm": 50, "max_sigma_nm": 20}, "above max_sigma_nm"),
        ({"tile_px": 100}, "multiple of 16"),
        ({"method": "dots"}, "gaussian"),
        ({"pixel": 10}, "not permitted"),
    ],
)
def test_settings_that_cannot_be_drawn_are_refused(fields, reason):
    with pytest.raises(ValidationError, match=reason):
        RenderSettings(**fields)
