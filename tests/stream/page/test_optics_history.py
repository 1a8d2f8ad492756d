"""The trace of the pupil: evenly thinned, from the first estimate to the newest, however long the night."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.page.optics_history import MOST, OpticsHistory


@given(st.integers(1, 5 * MOST))
def test_a_night_fits_and_keeps_its_ends(count):
    history = OpticsHistory()
    for number in range(count):
        history.add(np.full(27, number / 1e4, np.float32), float(number))
    samples = history.samples(now_s=float(count))
    at = [count - sample["age_s"] for sample in samples]
    assert (at[0], at[-1]) == (0, count - 1)
    assert len(at) == count if count <= MOST else MOST / 2 <= len(at) <= MOST
    assert len(set(np.diff(at[:-1]))) <= 1, "all but the newest are equally far apart"
    assert samples[-1]["waves"] == [round((count - 1) / 1e4, 4)] * 27
