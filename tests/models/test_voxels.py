"""Emitters become voxels and come back as they were."""

import pytest
import torch

from models.voxels import UPSAMPLING, centres, peaks, smooth, spikes, voxel_of, windows

SHAPE = (2, 31, 48, 56)


def volume_of(*places: tuple[int, float, float, float]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the volume of emitters (sample, x, y, z), and what it is of."""
    sample = torch.tensor([int(place[0]) for place in places])
    position = torch.tensor([place[1:] for place in places], dtype=torch.float64)
    return spikes(sample, position, SHAPE), sample, position


def test_emitters_come_back_where_they_were() -> None:
    volume, sample, position = volume_of((0, 3.3, 4.71, 0.12), (0, 9.8, 4.02, -0.5), (1, 5.05, 8.5, 0.61))
    at = peaks(volume, 0.05)
    mass, place = centres(volume, at)
    assert at[:, 0].tolist() == sample.tolist()
    torch.testing.assert_close(mass, torch.ones(3, dtype=torch.float64))
    order = torch.cdist(place, position).argmin(0)
    torch.testing.assert_close(place[order], position)


def test_one_above_the_other_is_one_row_for_each_column() -> None:
    volume, *_ = volume_of((0, 5.125, 5.125, -0.8), (0, 5.125, 5.125, 0.8))
    volume[0, 15:] *= 0.5
    assert len(peaks(volume, 0.05)) == 1


def test_two_voxels_at_the_ceiling_are_one_maximum() -> None:
    volume = torch.zeros(SHAPE)
    volume[0, 10, 20, 20:22] = 1.0
    assert len(peaks(volume, 0.05)) == 1


def test_nothing_is_found_in_nothing() -> None:
    at = peaks(torch.zeros(SHAPE), 0.05)
    mass, place = centres(torch.zeros(SHAPE), at)
    assert at.shape == (0, 4)
    assert mass.shape == (0,)
    assert place.shape == (0, 3)


def test_the_gaussian_is_one_at_its_middle_and_reaches_three_voxels() -> None:
    volume = torch.zeros(1, 15, 15, 15, dtype=torch.float64)
    volume[0, 7, 7, 7] = 1.0
    seen = smooth(volume)[0]
    assert float(seen[7, 7, 7]) == pytest.approx(1)
    assert float(seen[7, 8, 9]) == pytest.approx(torch.exp(torch.tensor(-2.5)).item(), rel=1e-5)
    assert float(seen[3].abs().max()) == 0


def test_windows_are_empty_beyond_the_edges() -> None:
    corner = windows(torch.ones(SHAPE), torch.tensor([[1, 0, 47, 0]]))
    assert corner.sum() == 5 * 5 * 5


def test_an_emitter_at_the_edge_is_in_a_voxel() -> None:
    at = voxel_of(torch.tensor([1]), torch.tensor([[14.0, 11.999, 1.0]]), SHAPE)
    assert at.tolist() == [[1, 30, UPSAMPLING * 12 - 1, UPSAMPLING * 14 - 1]]
