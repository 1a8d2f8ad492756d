import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.books.latency import Latencies


@given(st.lists(st.floats(0.02, 1e6), min_size=1, max_size=300))
def test_percentiles_are_right_to_one_bin(values: list[float]) -> None:
    latencies = Latencies()
    for value in values:
        latencies.add(np.array([value]))
    found = latencies.summary()
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        exact = np.quantile(values, share, method="inverted_cdf")
        assert found[name] == pytest.approx(exact, rel=0.03, abs=0.002)
    assert found["max"] == pytest.approx(max(values), abs=0.001)


def test_unknown_arrival_times_are_left_out() -> None:
    latencies = Latencies()
    latencies.add(np.array([np.nan]))
    assert latencies.summary() == {}
