"""A distance between sets of weighted points: zero for equal measures, never negative, with the right gradient."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.kernel_distance import as_sets, kernel_distance

WIDTHS = (0.5, 2.0, 6.0)


def points(seed: int, count: int, d: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    place = 20 * torch.rand((2, count, d), generator=generator, dtype=torch.float64)
    return place, torch.rand((2, count), generator=generator, dtype=torch.float64)


def test_equal_sets_are_no_distance_apart_in_any_order_and_divided() -> None:
    place, weight = points(1, 7)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(
        kernel_distance(place, weight, place[:, order], weight[:, order], WIDTHS),
        torch.zeros(2, dtype=torch.float64), atol=1e-12, rtol=0,
    )  # fmt: skip
    halves = torch.cat((place, place), 1), torch.cat((weight, weight), 1) / 2
    torch.testing.assert_close(
        kernel_distance(*halves, place, weight, WIDTHS), torch.zeros(2, dtype=torch.float64), atol=1e-12, rtol=0
    )


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.integers(1, 9), st.integers(1, 9))
def test_other_sets_are_apart_and_both_ways_alike(seed: int, one: int, other: int) -> None:
    a, b = points(seed, one), points(seed + 1, other)
    there, back = kernel_distance(*a, *b, WIDTHS), kernel_distance(*b, *a, WIDTHS)
    assert (there > 0).all()
    torch.testing.assert_close(there, back)


def test_points_without_weight_count_for_nothing() -> None:
    (a, w), (b, v) = points(1, 4), points(2, 5)
    more = torch.cat((b, 100 + b), 1), torch.cat((v, 0 * v), 1)
    torch.testing.assert_close(kernel_distance(a, w, *more, WIDTHS), kernel_distance(a, w, b, v, WIDTHS))


def test_one_point_beside_another_is_the_closed_form() -> None:
    place, one = torch.zeros((1, 1, 2), dtype=torch.float64), torch.ones((1, 1), dtype=torch.float64)
    aside = torch.tensor([[[3.0, 4.0]]], dtype=torch.float64)
    expected = 2 - 2 * torch.exp(torch.tensor(-5.0 / 2))
    assert float(kernel_distance(place, one, aside, one, (2.0,))) == pytest.approx(float(expected), rel=1e-3)


def test_the_gradient_is_that_of_differences() -> None:
    (place, weight), truth = points(3, 5), points(4, 6)
    place.requires_grad_()
    weight.requires_grad_()
    assert torch.autograd.gradcheck(lambda p, w: kernel_distance(p, w, *truth, WIDTHS), (place, weight))


def test_a_point_is_drawn_towards_the_truth() -> None:
    truth, one = torch.tensor([[[5.0, 5.0]]]), torch.ones((1, 1))
    at = torch.tensor([[[1.0, 2.0]]], requires_grad=True)
    for _ in range(400):
        kernel_distance(at, one, truth, one, WIDTHS).sum().backward()
        with torch.no_grad():
            at -= 0.05 * at.grad
            at.grad = None
    assert float((at - truth).detach().norm()) < 0.1


def test_rows_become_sets() -> None:
    values = torch.arange(8.0).reshape(4, 2)
    sets, there = as_sets(torch.tensor([0, 0, 2, 2]), values, 3)
    assert sets.shape == (3, 2, 2)
    assert there.tolist() == [[True, True], [False, False], [True, True]]
    assert torch.equal(sets[there], values)
    assert as_sets(torch.empty(0, dtype=torch.int64), torch.empty(0, 2), 3)[0].shape == (3, 1, 2)
