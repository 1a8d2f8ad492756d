"""A run ends at a resolution only if it was reached several times in a row."""

import pytest

from stream.feedback.conditions import IN_A_ROW, met
from stream.feedback.settings import StopSettings


@pytest.mark.parametrize(
    ("newest_nm", "ends"),
    [
        ((), False),
        ((25.0, 20.0), False),
        ((30.0, 25.0, 20.0), True),
        ((25.0, 30.1, 20.0), False),
        ((25.0, None, 20.0), False),
        ((None, None, None), False),
    ],
)
def test_three_estimates_in_a_row(newest_nm: tuple[float | None, ...], ends: bool) -> None:
    told = met(StopSettings(resolution_nm=30), 10_000, 0, newest_nm)
    assert bool(told) == ends
    assert not ends or told == "a resolution of 30, 25, 20 nm: [stop] resolution_nm = 30 is reached"
    assert met(StopSettings(), 10_000, 0, newest_nm) == ""
    assert IN_A_ROW == 3
