"""How far a network sees is what its layers add up to; that nothing beyond changes a bit: `test_active_tiles.py`."""

import pytest
import torch

from export.reach import reach_px
from models.layers import OverFrames
from models.systems.default import DefaultLocalizer
from stream import zoo


class Blur(OverFrames):
    """Sees as far as one convolution does."""

    channels, stride, dimensions = 1, 1, 2

    def __init__(self, side: int) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(1, 1, side, padding=side // 2)

    def encode(self, counts, variance):
        return counts[:, None]

    def hidden(self, before, now, after):
        return before + now + after

    def read(self, hidden):
        return self.layer(hidden)


@pytest.mark.parametrize(("side", "reach"), [(1, 0), (3, 1), (11, 5), (41, 20)])
def test_one_convolution(side: int, reach: int) -> None:
    assert reach_px(Blur(side)) == reach + 3


def test_what_sees_further_than_is_looked_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 30 pixels far, in frames of 64"):
        reach_px(Blur(61), side_px=64)


def test_the_default_localizer() -> None:
    """In pixels of half the resolution: encoder 5, context 5, coarse 12, fine 8; scores 1, positions 2."""
    assert reach_px(DefaultLocalizer(8)) == 2 * (5 + 5 + 12 + 8) + 1 + 3
    assert zoo.shipped()["2d-fast"].reach_px == 64
