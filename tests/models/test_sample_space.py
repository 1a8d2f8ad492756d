"""The sample space: what it draws lies inside, by its law; what lies outside is named; the card keeps all of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sample_space import LOCALIZER_2D, Range, SampleSpace

LAWS = st.sampled_from(["uniform", "log-uniform", "soft-log"])


@given(st.floats(0.01, 100), st.floats(0, 1000), LAWS, st.integers(0, 2**31))
def test_what_is_drawn_lies_inside(low: float, width: float, law: str, seed: int) -> None:
    made = Range(low, low + width, law)
    value = made.sample(np.random.default_rng(seed))
    assert made.low * (1 - 1e-12) - 1e-12 <= value <= made.high * (1 + 1e-12)


FLAT = {"uniform": lambda v: v, "log-uniform": np.log, "soft-log": lambda v: np.log(v + 0.3)}


@pytest.mark.parametrize("law", FLAT)
def test_each_law_is_flat_where_it_says(law: str) -> None:
    rng, drawn, flat = np.random.default_rng(1), Range(2, 50, law), FLAT[law]
    values = flat(np.array([drawn.sample(rng) for _ in range(4000)]))
    share, _ = np.histogram(values, 8, (flat(drawn.low), flat(drawn.high)))
    np.testing.assert_allclose(share / 4000, 1 / 8, atol=0.025)


@pytest.mark.parametrize("law", FLAT)
def test_the_value_at_a_share_has_that_share_of_the_draws_below_it(law: str) -> None:
    rng, drawn = np.random.default_rng(2), Range(2, 50, law)
    assert [drawn.at(0), drawn.at(1)] == pytest.approx([2, 50])
    assert np.mean([drawn.sample(rng) < drawn.at(0.3) for _ in range(4000)]) == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [((2, 1), "the low end comes first"), ((0, 1, "log-uniform"), "must be above 0"), ((0, 1, "normal"), "one of")],
)
def test_ranges_that_cannot_be(wrong: tuple[object, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Range(*wrong)


def test_a_space_draws_from_every_range_and_the_same_for_the_same_seed() -> None:
    one, other = (LOCALIZER_2D.sample(np.random.default_rng(5)) for _ in range(2))
    assert one == other
    assert set(one) == {name for name, value in LOCALIZER_2D.fields.items() if isinstance(value, Range)}
    assert LOCALIZER_2D.outside(one) == []


def test_what_lies_outside_is_named_with_value_and_limit() -> None:
    assert LOCALIZER_2D.outside({"pixel_size_nm": 100, "psf_sigma_px": 1.3, "colour": 3}) == []
    assert LOCALIZER_2D.outside({"pixel_size_nm": 65, "photons": 50}) == [
        "pixel_size_nm = 65 is outside 80 to 160", "photons = 50 is outside 100 to 10000",
    ]  # fmt: skip


def test_it_survives_the_card_and_an_older_one() -> None:
    assert SampleSpace.from_dict(LOCALIZER_2D.to_dict()) == LOCALIZER_2D
    older = SampleSpace.from_dict({"pixel_size_nm": [80, 160], "em_share": 0.45})
    assert older["pixel_size_nm"] == Range(80, 160)
    assert older.number("em_share") == 0.45
    with pytest.raises(TypeError, match="neither a range nor a number"):
        SampleSpace.from_dict({"photons": "many"})


def test_other_fields_make_another_space() -> None:
    deep = LOCALIZER_2D.changed(z_nm=Range(-600, 600), em_share=0.0)
    assert deep["z_nm"].high == 600
    assert "z_nm" not in LOCALIZER_2D.fields
    with pytest.raises(KeyError, match="not a range"):
        deep["em_share"]
    with pytest.raises(KeyError, match="not a number"):
        deep.number("z_nm")
