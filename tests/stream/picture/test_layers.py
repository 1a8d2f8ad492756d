"""The laws of colours: a mean is a mean at every level, whatever is drawn where; what is asked anew comes whole."""

import numpy as np
import pytest

from models.localizations import OUTSIDE, REFINED, Localizations
from stream.picture.render import Renderer, RenderSettings

SMALL = RenderSettings(pixel_nm=10, tile_px=64, max_sigma_nm=90)
FIELD_NM = (2990, 2010)


def table(count, seed=0, **columns) -> Localizations:
    random = np.random.default_rng(seed)
    x_nm, y_nm = random.uniform(0, FIELD_NM[0], count), random.uniform(0, FIELD_NM[1], count)
    sigma_x_nm, sigma_y_nm = random.uniform(2, 60, (2, count))
    place = {"x_nm": x_nm, "y_nm": y_nm, "sigma_x_nm": sigma_x_nm, "sigma_y_nm": sigma_y_nm}
    return Localizations({"frame": np.arange(count)} | place | columns)


def tiles(renderer, name):
    return {(tile.level, tile.row, tile.column): tile for tile in renderer.layers.changed(name)}


@pytest.mark.parametrize("method", ["gaussian", "histogram"])
def test_a_constant_is_its_own_mean_at_every_level(method):
    renderer = Renderer(*FIELD_NM, SMALL.model_copy(update={"method": method}))
    renderer.add(table(400, z_nm=np.full(400, -123.0), photons=np.full(400, 777.0)))
    for name, value in (("z", -123), ("photons", 777)):
        found = tiles(renderer, name)
        assert {key[0] for key in found} == set(range(len(renderer.pyramid.levels)))
        for tile in found.values():
            occupied = tile.values[tile.values != 0]
            np.testing.assert_allclose(occupied, value, rtol=1e-3)
            assert (tile.layer, tile.values.shape) == (name, (32, 32))


def test_sums_are_those_of_the_localizations():
    z_nm = np.random.default_rng(1).uniform(-400, 400, 300)
    renderer = Renderer(*FIELD_NM, SMALL)
    renderer.add(table(300, z_nm=z_nm))
    for (level, row, column), tile in tiles(renderer, "z").items():
        density = renderer.pyramid.levels[level].tile(row, column).values
        mass = density.reshape(32, 2, 32, 2).sum(axis=(1, 3))
        if level == len(renderer.pyramid.levels) - 1:
            assert (tile.values * mass).sum() == pytest.approx(z_nm.sum(), rel=1e-3)
            return


def test_two_spots_of_equal_weight_meet_in_the_middle():
    renderer = Renderer(640, 640, SMALL)
    place = {"x_nm": [305.0, 305.0], "y_nm": [305.0, 305.0], "sigma_x_nm": [15.0, 15.0], "sigma_y_nm": [15.0, 15.0]}
    renderer.add(Localizations({"frame": [0, 1000], **place}))
    (tile,) = tiles(renderer, "time").values()
    np.testing.assert_allclose(tile.values[tile.values > 0], 500, rtol=1e-5)


def test_a_colour_lies_on_the_density():
    renderer = Renderer(1280, 1280, SMALL)
    place = {"x_nm": [645.0], "y_nm": [322.0], "sigma_x_nm": [20.0], "sigma_y_nm": [30.0]}
    renderer.add(Localizations({"frame": [5], **place}))
    for (level, row, column), tile in tiles(renderer, "time").items():
        density = renderer.pyramid.levels[level].tile(row, column)
        mass = density.values.reshape(32, 2, 32, 2).sum(axis=(1, 3))
        np.testing.assert_array_equal(tile.values > 0, mass > 1e-6)
        assert (tile.origin_nm, tile.pixel_nm) == (density.origin_nm, 2 * density.pixel_nm)


def test_what_a_table_does_not_have_is_not_drawn():
    renderer = Renderer(*FIELD_NM, SMALL)
    renderer.add(table(10))
    assert not tiles(renderer, "z")
    assert tiles(renderer, "time")


def test_a_layer_asked_for_anew_comes_whole_and_only_once():
    renderer = Renderer(*FIELD_NM, SMALL)
    renderer.add(table(300, z_nm=np.linspace(-1, 1, 300)))
    before = tiles(renderer, "z")
    assert not tiles(renderer, "z")
    renderer.layers.ask_anew("z")
    after = tiles(renderer, "z")
    assert before.keys() == after.keys()
    for key, tile in after.items():
        np.testing.assert_array_equal(tile.values, before[key].values)


def outside_of(count, which, seed=0):
    return table(count, seed, flags=np.where(which, OUTSIDE | REFINED, REFINED))


def test_what_was_located_outside_can_be_taken_out_of_the_density_at_every_level():
    renderer, wanted = Renderer(*FIELD_NM, SMALL), Renderer(*FIELD_NM, SMALL)
    which = np.random.default_rng(3).random(300) < 0.4
    whole = outside_of(300, which)
    wanted.add(whole.where(~which))
    for part in (slice(0, 150), slice(150, 300)):
        renderer.add(whole.where(part))
        share = tiles(renderer, "outside")
    assert {key[0] for key in share} == set(range(len(renderer.pyramid.levels)))
    wanted.pyramid.refresh()
    for (level, row, column), tile in share.items():
        kept = (1 - tile.values).repeat(2, 0).repeat(2, 1) * renderer.pyramid.levels[level].tile(row, column).values
        found, expected = (
            values.reshape(32, 2, 32, 2).sum(axis=(1, 3))
            for values in (kept, wanted.pyramid.levels[level].tile(row, column).values)
        )
        np.testing.assert_allclose(found, expected, atol=2e-4)


def test_a_share_gets_smaller_when_others_are_drawn_over_it():
    renderer = Renderer(640, 640, SMALL)
    place = {"x_nm": [305.0], "y_nm": [305.0], "sigma_x_nm": [15.0], "sigma_y_nm": [15.0]}
    for flags, share in ((OUTSIDE, 1.0), (0, 0.5)):
        renderer.add(Localizations({"frame": [0], **place, "flags": [flags]}))
        (tile,) = tiles(renderer, "outside").values()
        assert tile.values.max() == pytest.approx(share, rel=1e-4)
    renderer.add(Localizations({"frame": [0], **place, "flags": [OUTSIDE]}), weight=-1.0)
    (tile,) = tiles(renderer, "outside").values()
    assert np.abs(tile.values).max() < 1e-4


def test_while_the_guard_says_inside_the_share_costs_nothing():
    renderer = Renderer(*FIELD_NM, SMALL)
    renderer.add(outside_of(50, np.zeros(50, bool)))
    renderer.add(table(50))
    assert not tiles(renderer, "outside")
    assert not renderer.layers.sums[renderer.layers.names.index("outside")].any()


def test_colours_leave_the_density_as_it_is():
    with_colours, without = Renderer(*FIELD_NM, SMALL), Renderer(*FIELD_NM, SMALL.model_copy(update={"colours": ()}))
    for renderer in (with_colours, without):
        renderer.add(table(200, photons=np.ones(200)))
    np.testing.assert_array_equal(with_colours.image(), without.image())
    assert without.layers.names == ("outside",)


def test_a_colour_that_is_not_a_number_is_counted_not_drawn():
    renderer = Renderer(*FIELD_NM, SMALL)
    renderer.add(table(3, photons=np.array([1, np.nan, 2])))
    assert (renderer.drawn, renderer.left_out) == (2, 1)
