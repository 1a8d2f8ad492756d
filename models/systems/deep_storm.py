"""Deep-STORM: a frame -> the super-resolved image of its molecules, and no list (Nehme et al., Optica 5, 458).

Kept of the paper: the grid of an eighth of a camera pixel, the layers of the published network, which looks at a frame
that was enlarged first, and the loss. Chosen here: counts come calibrated, with stable variance (`layers.stabilize`).
The paper scales each frame from its darkest to its brightest pixel; then one hot pixel darkens all molecules, an empty
frame becomes all noise, and tiles of a frame would not fit together. The light network computes on pairs of pixels and
enlarges last (Shi et al., CVPR 2016), for a hundredth of the work.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.images.samples import Pictures, PictureSimulator
from models.images.space import UPSAMPLING
from models.layers import Residual, keep_size, stabilize
from models.losses import Losses
from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.training_spots import training_spots

SCALE = 100.0
"""What a network says of one molecule, summed over its pixels: the label is a Gaussian of this sum."""
SIGMA_PX, KERNEL_PX = 1.0, 7
"""Of that Gaussian, in super-resolved pixels."""
WIDTHS = (32, 64, 128, 512)
"""Channels of the published network, from full resolution down."""
LIGHT_CHANNELS, LIGHT_BLOCKS, PAIR = 64, 4, 2


class ImageNetwork(nn.Module):
    """Counts in, image out.

    Attributes
    ----------
    multiple_px : int
        Frames and corners of tiles are multiples of this.
    sparsity : float
        Weight of the mean absolute value in its loss.
    """

    multiple_px: int
    sparsity: float

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return the image in units of 1 / SCALE molecules; negative where noise makes it so.

        Parameters
        ----------
        counts : (t, y, x) float
            Photo-electrons over F^2.
        variance : (y, x) or (t, y, x) float
            Of the read noise, in the same counts squared.

        Returns
        -------
        (t, 8 y, 8 x) float
        """
        raise NotImplementedError

    def molecules(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Return molecules per super-resolved pixel, (t, 8 y, 8 x); as `forward`, and not negative."""
        return torch.relu(self(counts, variance)) / SCALE


class DeepStorm(ImageNetwork):
    """The network of the paper."""

    multiple_px, sparsity = 1, 1.0

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(_block(before, width) for before, width in zip((2, *WIDTHS), WIDTHS, strict=False))
        up = WIDTHS[::-1]
        self.up = nn.ModuleList(_block(before, width) for before, width in pairwise(up))
        self.last = nn.Conv2d(WIDTHS[0], 1, 1, bias=False)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.orthogonal_(layer.weight)

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """As `ImageNetwork.forward`."""
        x = functional.interpolate(stabilize(counts, variance), scale_factor=float(UPSAMPLING))
        x = self.down[0](x)
        for block in self.down[1:]:
            x = block(functional.max_pool2d(x, 2))
        for block in self.up:
            x = block(functional.interpolate(x, scale_factor=2.0))
        image: Tensor = self.last(x)[:, 0]
        return image


class LightDeepStorm(ImageNetwork):
    """Residual blocks at half the resolution of the camera; the last layer says 16 x 16 pixels of each cell.

    Decision: a tenth of the paper's sparsity. Context: with all of it, whatever is not known to five super-resolved
    pixels costs more than it gains, and after 600 steps this network said nothing at all. Consequence: where molecules
    overlap, the image is smooth rather than empty.
    """

    multiple_px, sparsity = PAIR, 0.1

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2 * PAIR**2, LIGHT_CHANNELS, 3, padding=1)
        self.blocks = nn.ModuleList(Residual(LIGHT_CHANNELS) for _ in range(LIGHT_BLOCKS))
        self.last = nn.Conv2d(LIGHT_CHANNELS, (PAIR * UPSAMPLING) ** 2, 1)
        keep_size(self)
        with torch.no_grad():
            self.last.weight *= 0.1

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """As `ImageNetwork.forward`; y and x are even."""
        x = torch.relu(self.first(functional.pixel_unshuffle(stabilize(counts, variance), PAIR)))
        for block in self.blocks:
            x = block(x)
        return functional.pixel_shuffle(self.last(x), PAIR * UPSAMPLING)[:, 0]


NETWORKS: dict[str, type[ImageNetwork]] = {"deep-storm": DeepStorm, "deep-storm-light": LightDeepStorm}


def blurred(images: Tensor) -> Tensor:
    """Return images (b, y, x) under the Gaussian of 7 x 7 pixels, of sum 1; nothing comes from beyond their edges.

    Rows and columns one after the other, as products of matrices: a convolution of one channel is ten times slower.
    """
    rows, columns = (band(side, images) for side in images.shape[1:])
    return rows @ images @ columns


def band(side: int, like: Tensor) -> Tensor:
    """Return the Gaussian along one axis as a symmetric matrix (side, side)."""
    place = torch.arange(side, device=like.device)
    apart = (place[:, None] - place).abs()
    near = torch.arange(-(KERNEL_PX // 2), KERNEL_PX // 2 + 1, device=like.device)
    total = torch.exp(-(near**2) / (2 * SIGMA_PX**2)).sum()
    return (torch.exp(-(apart**2) / (2 * SIGMA_PX**2)) * (apart <= KERNEL_PX // 2) / total).to(like.dtype)


class ImagesOfFrames:
    """Deep-STORM as the trainer sees it.

    Parameters
    ----------
    recipe : Recipe
    space : SampleSpace
    spot : LowRankSpot or None
        None: Gaussian spots in focus.
    device : str
    """

    def __init__(self, recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None, device: str) -> None:
        self._system = recipe.system
        spots = training_spots(spot, space)
        self._simulator = PictureSimulator(spots, space, recipe.batch, recipe.patch_px, device)

    def network(self) -> ImageNetwork:
        """Return the network, untrained."""
        return NETWORKS[self._system]()

    def draw(self, seed: int, step: int) -> Pictures:
        """Return the frames of a step."""
        return self._simulator.draw(seed, step)

    def losses(self, network: ImageNetwork, samples: Pictures) -> Losses:
        """Return the loss of the paper: mean square error under the Gaussian, and mean absolute value of the image."""
        image = network(samples.counts, samples.variance)
        error = blurred(image - SCALE * samples.spikes).square().mean()
        size = image.abs().mean()
        return Losses({"error": error.detach(), "size": size.detach()}, error + network.sparsity * size)


def _block(before: int, width: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
