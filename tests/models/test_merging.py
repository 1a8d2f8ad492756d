"""Points that are near one another become one; nothing else changes, and no weight is lost."""

import torch

from models.merging import merge


def test_a_pair_becomes_its_weighted_mean_and_others_stay() -> None:
    place = torch.tensor([[[1.0, 1.0], [1.4, 1.0], [9.0, 9.0], [30.0, 2.0]]])
    weight = torch.tensor([[0.25, 0.75, 0.9, 0.0]])
    found = merge(place, weight, place, 1.0)
    kept = found.weight[0] > 0
    order = found.values[0, kept][:, 0].argsort()
    torch.testing.assert_close(found.weight[0, kept][order], torch.tensor([1.0, 0.9]))
    torch.testing.assert_close(found.values[0, kept][order], torch.tensor([[1.3, 1.0], [9.0, 9.0]]))


def test_points_in_a_row_are_shared_out_to_the_nearest_middle() -> None:
    x = torch.arange(8) * 0.6
    place = torch.stack((x, 0 * x), 1)[None]
    found = merge(place, torch.ones(1, 8), place, 1.0)
    middles = found.values[0, found.weight[0] > 0][:, 0].sort().values
    assert float(found.weight.sum()) == 8
    assert (middles.diff() > 1).all()


def test_weight_is_kept_in_a_crowd() -> None:
    generator = torch.Generator().manual_seed(1)
    place, weight = 12 * torch.rand((20, 64, 2), generator=generator), torch.rand((20, 64), generator=generator)
    found = merge(place, weight, place, 1.0)
    assert (found.weight.sum(1) > 0.99 * weight.sum(1)).all()
    assert (found.weight.sum(1) <= weight.sum(1) * 1.0001).all()


def test_the_order_of_points_does_not_matter() -> None:
    generator = torch.Generator().manual_seed(2)
    place, weight = 8 * torch.rand((1, 20, 2), generator=generator), torch.rand((1, 20), generator=generator)
    order = torch.randperm(20, generator=generator)
    one, other = merge(place, weight, place, 1.0), merge(place[:, order], weight[:, order], place[:, order], 1.0)
    torch.testing.assert_close(one.weight[one.weight > 0].sort().values, other.weight[other.weight > 0].sort().values)


def test_no_points_no_emitters() -> None:
    assert not merge(torch.zeros(1, 5, 2), torch.zeros(1, 5), torch.zeros(1, 5, 2), 1.0).weight.any()
