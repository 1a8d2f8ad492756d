"""Traces are kept in bounded memory: means stay means, and noise falls as it does for means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.bleaching.record import TraceRecord


@given(frames=st.integers(0, 200), most=st.sampled_from([2, 4, 8, 16]), cut=st.integers(1, 30))
def test_samples_are_means_of_frames_and_never_too_many(frames, most, cut):
    rng = np.random.default_rng(1)
    light, variance, index = rng.normal(size=(frames, 3)), rng.random((frames, 3)), np.arange(frames) * 2
    record = TraceRecord(3, most)
    for at in range(0, frames, cut):
        part = slice(at, at + cut)
        record.add(light[part], variance[part], index[part])
    each = record.frames_per_sample
    assert len(record) == frames // each < most
    whole = len(record) * each
    np.testing.assert_allclose(record.light_e, light[:whole].reshape(-1, each, 3).mean(1).T, atol=1e-5)
    sigma = np.sqrt(variance[:whole].reshape(-1, each, 3).sum(1)) / each
    np.testing.assert_allclose(record.sigma_e, sigma.T, atol=1e-5)
    assert record.frame == pytest.approx(index[:whole].reshape(-1, each).mean(1))
