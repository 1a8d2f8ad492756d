"""Aberrations that change over the field are recovered within their uncertainties; what does not change stays flat."""

import json
from dataclasses import replace

import numpy as np
import pytest

from models.beads.field import Field, powers
from models.beads.field_fit import FEWEST_BEADS, field, field_of
from models.beads.task import Answer, Task
from models.beads.verdict import field_verdict
from models.fitting.retrieval import retrieve
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot

MODES = (5, 6, 7, 8, 11)
FOCUS = np.linspace(-600, 600, 5)
SETUP = Setup(Objective(sample_index=1.518), pupil_samples=48)
SIZE, PIXEL_NM = 21, 100.0
PLACES = tuple((x, y) for x in (5.0, 25.0, 45.0) for y in (5.0, 15.0, 25.0))


def astigmatism(x_um: float, slope: float) -> float:
    return 0.06 + slope * (x_um - 25)


def solved(slope: float) -> tuple[Task, Answer]:
    """Nine beads whose astigmatism grows along x by a slope in waves per um, and the one pupil for all of them."""
    rng, stacks = np.random.default_rng(8), []
    for x_um, _ in PLACES:
        setup = replace(SETUP, zernike_waves={6: astigmatism(x_um, slope), 8: -0.03})
        shift = rng.uniform(-40, 40, 2)
        position = np.repeat([[*shift, 0.0]], len(FOCUS), 0)
        images = VectorialSpot(setup, PIXEL_NM, SIZE)(position, Aberration(FOCUS + rng.uniform(-50, 50)))
        stacks.append(rng.poisson(2e4 * images + 10).astype(float))
    none = np.zeros((SIZE, SIZE))
    task = Task(SETUP, PIXEL_NM, FOCUS, tuple(stacks), (none,) * len(stacks), MODES, places_um=PLACES)
    found = retrieve(task.spot(0.0), stacks[:4], FOCUS, MODES, {6: 0.06})
    return task, Answer(found, 0.0, found, found)


def test_astigmatism_that_grows_over_the_field_comes_back() -> None:
    found = field(*solved(0.002))
    assert found is not None
    assert {j: p.order for j, p in found.polynomials.items()} == {5: 0, 6: 1, 7: 0, 8: 0, 11: 0}
    assert found.p_constant < 1e-6
    for x, y in ((5.0, 5.0), (25.0, 15.0), (45.0, 25.0), (10.0, 20.0)):
        waves, sigma = found.at(x, y), found.sigma_at(x, y)
        assert waves[6] == pytest.approx(astigmatism(x, 0.002), abs=3 * sigma[6])
        assert waves[8] == pytest.approx(-0.03, abs=3.5 * sigma[8])
        assert max(sigma.values()) < 0.004
    assert found.sigma_at(100, 15)[6] > 2 * found.sigma_at(25, 15)[6]  # nothing is known out there
    assert "Noll 6 from +0.0" in field_verdict(found)


def test_beads_without_field_dependence_give_order_0() -> None:
    found = field(*solved(0.0))
    assert found is not None
    assert found.order == 0
    assert found.p_constant > 0.01
    assert found.at(5, 5) == found.at(45, 25)
    assert "the same all over the field" in field_verdict(found)


def test_too_few_beads_say_nothing() -> None:
    task, answer = solved(0.0)
    few = FEWEST_BEADS - 1
    assert field(replace(task, stacks=task.stacks[:few], places_um=PLACES[:few]), answer) is None


def random_beads(rng: np.random.Generator, beads: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return places, noise of 24 correlated coefficients, and its covariances."""
    mixing = rng.normal(0, 0.002, (beads, 24, 24)) + 0.005 * np.eye(24)
    noise = np.einsum("bij,bj->bi", mixing, rng.normal(size=(beads, 24)))
    return rng.uniform(0, 60, (beads, 2)), noise, mixing @ mixing.transpose(0, 2, 1)


def test_noise_is_seldom_taken_for_a_field() -> None:
    """Of fields without any change about one in a hundred may be said to change; the joint chi-square is uniform."""
    rng, modes = np.random.default_rng(1), tuple(range(5, 29))
    found = [field_of(places, modes, noise, cov) for places, noise, cov in (random_beads(rng, 14) for _ in range(120))]
    assert sum(one.order > 0 for one in found) <= 5
    assert np.mean([one.p_constant for one in found]) == pytest.approx(0.5, abs=4 / np.sqrt(12 * 120))


def test_a_quadratic_field_needs_its_order_and_pulls_are_one() -> None:
    rng, modes, pulls = np.random.default_rng(2), tuple(range(5, 29)), []
    for _ in range(60):
        places, waves, covariances = random_beads(rng, 14)
        waves[:, 0] += 0.2 * ((places[:, 0] - 30) / 30) ** 2
        found = field_of(places, modes, waves, covariances)
        assert found.polynomials[5].order >= 2
        x, y = rng.uniform(10, 50, 2)
        pulls.append((found.at(x, y)[5] - 0.2 * ((x - 30) / 30) ** 2) / found.sigma_at(x, y)[5])
    assert np.std(pulls) == pytest.approx(1, abs=0.3)


def test_beads_on_a_line_give_no_slope_across_it() -> None:
    rng = np.random.default_rng(3)
    places, waves, covariances = random_beads(rng, 14)
    places[:, 1] = 20
    waves[:, 1] += places[:, 0]
    assert field_of(places, tuple(range(5, 29)), waves, covariances).order == 0


def test_a_field_is_written_and_read() -> None:
    found = field_of(*(lambda p, w, c: (p, tuple(range(5, 29)), w, c))(*random_beads(np.random.default_rng(4), 14)))
    again = Field.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.at(3, 50) == found.at(3, 50)
    assert again.sigma_at(3, 50) == found.sigma_at(3, 50)
    assert again.p_constant == found.p_constant


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        ({"polynomials": {}}, "box_um"),
        (
            {"polynomials": {"6": {"order": 1, "waves": [0.1], "covariance_waves2": [[1.0]]}}},
            "order 1 has 3 terms",
        ),
    ],
)
def test_what_is_no_field(plain: dict, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Field.from_dict(plain)


def test_powers_are_all_terms_up_to_the_order() -> None:
    assert powers(2) == [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]
