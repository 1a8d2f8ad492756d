"""Ranges behave like the set of their indices."""

import pickle
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.books.ranges import Ranges

pair = st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda p: (p[0], p[0] + p[1]))
pairs = st.lists(pair, max_size=12)


def as_set(ranges) -> set[int]:
    return {index for first, last in ranges for index in range(first, last + 1)}


@given(pairs)
def test_is_the_set_of_its_indices(given_ranges):
    ranges, indices = Ranges(given_ranges), as_set(given_ranges)
    assert as_set(ranges) == indices
    assert ranges.total == len(indices)
    assert ranges.last == max(indices, default=None)
    assert all((index in ranges) == (index in indices) for index in range(-1, 80))


@given(pairs)
def test_ranges_are_sorted_and_do_not_touch(given_ranges):
    found = Ranges(given_ranges).to_list()
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(found))


@given(pairs, pairs, pair)
def test_set_operations(left, right, window):
    a, b = Ranges(left), Ranges(right)
    assert as_set(a.union(b)) == as_set(left) | as_set(right)
    assert as_set(a.difference(b)) == as_set(left) - as_set(right)
    assert as_set(a.within(*window)) == as_set(left) & as_set([window])


@given(st.lists(st.integers(0, 40)))
def test_order_of_adding_does_not_matter(indices):
    forwards, backwards = Ranges(), Ranges()
    forwards.add_indices(indices)
    backwards.add_indices(reversed(indices))
    assert forwards == backwards == pickle.loads(pickle.dumps(forwards))


def test_a_long_run_is_one_range():
    ranges = Ranges()
    ranges.add_indices(range(10_000))
    assert ranges.to_list() == [(0, 9_999)]
    assert len(ranges) == 1


def test_a_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match=r"5\.\.4"):
        Ranges().add(5, 4)
