"""A slope over the field is found within its uncertainty where there is one, and not where there is none."""

import json

import numpy as np
import pytest

from models.beads.field import FieldPupil, over_field

MODES = (5, 6, 7, 11)


def beads(count: int, slope: float, curve: float = 0.0, scatter: float = 1.0, seed: int = 1):
    """Beads with correlated errors of about 0.005 waves, `scatter` times as large as stated."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 40, (count, 2))
    mixing = 0.005 * (np.eye(4) + 0.3 * rng.normal(size=(4, 4)))
    truth = np.tile([0.02, 0.1, 0.0, -0.03], (count, 1))
    truth[:, 1] += slope * (places[:, 0] - 20) / 20 + curve * ((places[:, 1] - 20) / 20) ** 2
    waves = truth + scatter * rng.normal(size=(count, 4)) @ mixing.T
    return places, waves, [mixing @ mixing.T] * count


@pytest.mark.parametrize("seed", range(5))
def test_no_slope_is_invented(seed: int) -> None:
    found = over_field(*beads(8, 0.0, seed=seed), MODES)
    assert found.order == 0
    assert found.at(0, 0) == found.at(40, 40)
    assert found.at(3, 7)[6] == pytest.approx(0.1, abs=4 * found.sigma_waves[0, 1])


def test_a_slope_is_found_within_its_uncertainty() -> None:
    found = over_field(*beads(12, 0.05), MODES)
    assert found.order == 1
    rise = (found.at(40, 20)[6] - found.at(0, 20)[6]) / 2
    assert rise == pytest.approx(0.05, abs=4 * found.sigma_waves[1, 1] * 20 / found.reach_um)
    assert found.at(0, 20)[5] == pytest.approx(0.02, abs=0.02)


def test_a_curve_needs_beads_enough() -> None:
    assert over_field(*beads(30, 0.0, 0.06), MODES).order == 2
    assert over_field(*beads(6, 0.0, 0.06), MODES).order < 2


@pytest.mark.parametrize("seed", range(3))
def test_beads_that_differ_by_more_than_stated_make_no_slope(seed: int) -> None:
    found = over_field(*beads(10, 0.0, scatter=4.0, seed=seed), MODES)
    assert found.order == 0
    assert found.sigma_waves[0, 1] > over_field(*beads(10, 0.0, seed=seed), MODES).sigma_waves[0, 1]


def test_one_bead_is_the_whole_field() -> None:
    places, waves, covariances = beads(1, 0.0)
    found = over_field(places, waves, covariances, MODES)
    assert found.order == 0
    assert list(found.at(99, 99).values()) == pytest.approx(waves[0].tolist())
    with pytest.raises(ValueError, match="no bead"):
        over_field(places[:0], waves[:0], [], MODES)


def test_it_goes_through_json() -> None:
    found = over_field(*beads(12, 0.05), MODES)
    again = FieldPupil.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.at(5, 6) == found.at(5, 6)
    with pytest.raises(ValueError, match="do not fit 3 modes"):
        FieldPupil.from_dict(found.to_dict() | {"modes": [5, 6, 7]})
