"""One molecule, one row: over gaps, however frames are cut into tables, and with the right weights."""

import numpy as np
import pytest

from models.linking import Linker
from models.localizations import OUTSIDE, REFINED, Localizations, concatenate


def table(*rows: tuple[int, float, float], sigma: float | list[float] = 10.0, **more: list[float]) -> Localizations:
    frame, x, y = (np.array(values) for values in zip(*rows, strict=True)) if rows else (np.empty(0),) * 3
    spread = np.broadcast_to(sigma, frame.shape)
    columns = {"frame": frame, "x_nm": x, "y_nm": y, "sigma_x_nm": spread, "sigma_y_nm": spread, "photons": 0 * x + 500}
    return Localizations(columns | {name: np.array(values) for name, values in more.items()})


def linked(*tables: Localizations, last: int = 10, gap: int = 1) -> Localizations:
    linker = Linker(50, gap)
    parts = [linker.add(part, int(np.max(part["frame"], initial=0))) for part in tables]
    nothing = tables[0].where(slice(0, 0))
    return concatenate([*parts, linker.add(nothing, last), linker.finish()])


BLINKS = [(0, 100, 100), (1, 104, 100), (1, 900, 900), (3, 96, 100), (6, 100, 100)]


def test_a_molecule_goes_on_over_a_gap_and_no_farther() -> None:
    found = linked(table(*BLINKS))
    rows = sorted(zip(found["frame"].tolist(), found["frames"].tolist(), found["photons"].tolist(), strict=True))
    assert rows == [(0, 3, 1500), (1, 1, 500), (6, 1, 500)]
    assert linked(table(*BLINKS), gap=0)["frames"].tolist() == [2, 1, 1, 1]
    assert sorted(linked(table(*BLINKS), gap=2)["frames"].tolist()) == [1, 4]


@pytest.mark.parametrize("cut", [1, 2, 4])
def test_it_does_not_matter_how_frames_are_cut(cut: int) -> None:
    whole, parts = linked(table(*BLINKS)), linked(table(*BLINKS[:cut]), table(*BLINKS[cut:]))
    for name in whole:
        np.testing.assert_allclose(np.sort(parts[name]), np.sort(whole[name]))


def test_precise_localizations_weigh_more_and_the_uncertainty_shrinks() -> None:
    found = linked(table((0, 100, 0), (1, 130, 0), sigma=[10.0, 20.0], sigma_photons=[30.0, 40.0]))
    assert found["x_nm"].tolist() == pytest.approx([106])
    assert found["sigma_x_nm"].tolist() == pytest.approx([80**0.5])
    assert found["sigma_photons"].tolist() == pytest.approx([50])


def test_depth_is_kept_where_there_is_one() -> None:
    found = linked(table((0, 0, 0), (1, 0, 0), z_nm=[100.0, 200.0], sigma_z_nm=[30.0, 30.0]))
    assert (found["z_nm"][0], found["sigma_z_nm"][0]) == pytest.approx((150, 30 / 2**0.5))


def test_of_two_near_ones_the_nearer_goes_on() -> None:
    found = linked(table((0, 100, 0), (1, 140, 0), (1, 110, 0)))
    assert sorted(found["frames"].tolist()) == [1, 2]
    assert found["x_nm"][found["frames"] == 2].tolist() == [105]


def test_a_molecule_comes_back_as_soon_as_it_has_ended() -> None:
    linker = Linker(50, 1)
    assert len(linker.add(table((0, 0, 0)), 1)) == 0  # it may come back in frame 2
    assert len(linker.add(table(), 2)) == 1
    assert len(linker.finish()) == 0


def test_a_molecule_is_flagged_if_the_guard_said_outside_at_any_time() -> None:
    rows = ((0, 0, 0), (1, 0, 0), (1, 900, 0))
    found = linked(table(*rows, flags=[REFINED, REFINED | OUTSIDE, REFINED]))
    assert dict(zip(found["frames"].tolist(), found["flags"].tolist(), strict=True)) == {2: OUTSIDE, 1: 0}


def test_a_molecule_has_the_colour_that_most_say_by_their_probabilities() -> None:
    rows = ((0, 0, 0), (1, 0, 0), (2, 0, 0), (2, 900, 0))
    found = linked(table(*rows, channel=[1, 0, 1, -1], channel_probability=[0.6, 0.9, 0.6, 0.0]))
    order = np.argsort(found["frames"])
    assert found["channel"][order].tolist() == [-1, 1]
    assert found["channel_probability"][order].tolist() == pytest.approx([0, 1.2 / 2.1])
