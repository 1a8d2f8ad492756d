"""Crops -> x, y, z, photons, background and, together with them, Noll 5, 6, 11: Zelger et al., Opt. Express 26 (2018).

Of the paper: a convolutional network on images of single emitters, trained on vectorial spots; aberrations that nobody
knows are found together with the position, which makes the position better. Chosen here, where nothing is public: two
resolutions with one residual block each; the likelihood of independent Gaussians as loss, so that each answer comes
with its uncertainty; aberrations of up to 0.06 waves in each mode.
"""

from __future__ import annotations

from torch import Tensor, nn

from models.crops.samples import LIGHT, PLACE
from models.crops.space import UNKNOWN, mode_name
from models.layers import Residual, keep_size
from models.systems.reading import Kind, channels_of

SIZES = {"fast": 32, "accurate": 64}
"""Name of a size -> channels at half resolution."""
HIDDEN, FIRST_ANSWER = 128, 0.1
"""Units of the last hidden layer; size of an untrained network's answer."""
ALONE = (*PLACE, *LIGHT)
JOINTLY = (*ALONE, *map(mode_name, UNKNOWN))


class ZelgerNetwork(nn.Module):
    """Crops in, means and logarithms of the standard deviations out.

    Parameters
    ----------
    crop_px : int
        Even.
    outputs : int
        Numbers for each crop.
    channels : int
        At half resolution; twice as many at a quarter.
    """

    def __init__(self, crop_px: int, outputs: int, channels: int) -> None:
        super().__init__()
        quarter, c = (crop_px // 2 + 1) // 2, channels
        last = nn.Linear(HIDDEN, outputs)
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(2), nn.Conv2d(16, c, 3, padding=1), nn.ReLU(), Residual(c),
            nn.Conv2d(c, 2 * c, 3, stride=2, padding=1), nn.ReLU(), Residual(2 * c),
            nn.Flatten(), nn.Linear(2 * c * quarter**2, HIDDEN), nn.ReLU(), last,
        )  # fmt: skip
        keep_size(self)
        last.weight.data *= FIRST_ANSWER

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return (b, outputs) of crops (b, y, x), photo-electrons over F^2, and the variance of their read noise."""
        said: Tensor = self.layers(channels_of(counts, variance))
        return said


TOGETHER = Kind(ZelgerNetwork, SIZES, JOINTLY, "likelihood")
WITHOUT = Kind(ZelgerNetwork, SIZES, ALONE, "likelihood")
"""The same without the three aberrations, for the claim that they help."""
