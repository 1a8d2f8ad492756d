"""Networks that draw images as they ship: the graph from counts to the sum of images, its ports, card, scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card, Port
from export.reach import image_reach_px
from models.camera import Camera
from models.evaluation.conditions import Conditions
from models.images.scoring import DENSITIES_PER_UM2, PHOTONS, STRUCTURE, Draw, Float32, by_density, sum_image
from models.images.space import UPSAMPLING
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.deep_storm import ImageNetwork

INPUTS = (
    Port("frames", "uint16", ("t", "y", "x"), "ADU"),
    Port("offset", "float32", ("y", "x"), "ADU"),
    Port("gain", "float32", ("y", "x"), "ADU per photo-electron"),
    Port("variance", "float32", ("y", "x"), "photo-electrons squared"),
    Port("excess", "float32", (), "excess noise factor F**2: 2 behind an EM register, else 1"),
)
OUTPUTS = (
    Port(
        "image", "float32", (f"{UPSAMPLING} y", f"{UPSAMPLING} x"),
        f"molecules in each super-resolved pixel, an eighth of a camera pixel along each side, summed over frames: the "
        f"grid is finer than what the camera samples ({UPSAMPLING**2} pixels for each of its own), and no resolution",
    ),
)  # fmt: skip
NORMALISATION = (
    "photo-electrons over F**2, stabilised by Anscombe's root, and the read noise of each pixel; the paper's, from the "
    "darkest to the brightest pixel of a frame, is not used: a hot pixel would darken all molecules, and tiles of a "
    "frame would not fit together"
)
FRAMES, QUICK = 60, 12
QUICK_DENSITIES = (1.0, 4.0)


class DeployedImage(nn.Module):
    """A network that draws images, with calibration before it and the sum over frames behind it.

    Parameters
    ----------
    network : ImageNetwork
    """

    def __init__(self, network: ImageNetwork) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, frames: Tensor, offset: Tensor, gain: Tensor, variance: Tensor, excess: Tensor) -> Tensor:
        """Axes, dtypes and units as in `INPUTS` and `OUTPUTS`."""
        _, height, width = frames.shape
        counts = (frames.to(offset.dtype) - offset) / (gain * excess)
        image = self.network.molecules(self._pad(counts), self._pad((variance / excess**2)[None])[0])
        return image[:, : UPSAMPLING * height, : UPSAMPLING * width].sum(dim=0)

    def _pad(self, maps: Tensor) -> Tensor:
        """Repeat the last row and column of (n, y, x) up to what the network takes."""
        multiple, (_, height, width) = self.network.multiple_px, maps.shape
        down, right = ((side + multiple - 1) // multiple * multiple - side for side in (height, width))
        return maps if multiple == 1 else functional.pad(maps[None], (0, right, 0, down), mode="replicate")[0]

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free: frames, rows and columns."""
        t, y, x = 3, 24, 20
        maps = [torch.rand(y, x) + 0.5 for _ in range(3)]
        frames = torch.randint(90, 200, (t, y, x)).to(torch.uint16)
        rows, columns = torch.export.Dim("y", min=8), torch.export.Dim("x", min=8)
        plane = {0: rows, 1: columns}
        free = ({0: torch.export.Dim("t", min=1), 1: rows, 2: columns}, plane, plane, plane, None)
        return (frames, *maps, torch.tensor(1.0)), free


def inputs_of(frames: NDArray[np.uint16], camera: Camera) -> dict[str, NDArray[np.generic]]:
    """Return the inputs of the graph for frames (t, y, x) of a camera."""
    shape = frames.shape[1:]
    values = (camera.offset_adu, camera.adu_per_photo_electron, camera.variance_e2)
    maps = [np.ascontiguousarray(np.broadcast_to(np.asarray(value, np.float32), shape)) for value in values]
    feed: tuple[NDArray[np.generic], ...] = (frames, *maps, np.asarray(camera.excess, np.float32))
    return {port.name: value for port, value in zip(INPUTS, feed, strict=True)}


def drawer(module: DeployedImage) -> Draw:
    """Return it as a function of frames and camera; one frame after the other, so that memory is that of one."""

    def draw(stack: NDArray[np.uint16], camera: Camera) -> Float32:
        feed = {name: torch.from_numpy(np.asarray(value)) for name, value in inputs_of(stack, camera).items()}
        with torch.no_grad():
            image = sum(module(**feed | {"frames": feed["frames"][k : k + 1]}) for k in range(len(stack)))
        return np.asarray(image, np.float32)

    return draw


def mac_per_pixel(network: ImageNetwork) -> int:
    """Multiply-accumulate operations per camera pixel and frame."""
    side, counter = 32, FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(torch.zeros(1, side, side), torch.zeros(side, side))
    return int(counter.get_total_flops()) // 2 // side**2


def describe_image(network: ImageNetwork, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any]) -> Card:
    """Return the card of a network that draws images."""
    psf = recipe.spot_name
    return Card(
        name=f"{psf}-{recipe.system}",
        title=f"super-resolved image of {psf} spots, {UPSAMPLING} x {UPSAMPLING} pixels for each camera pixel",
        inputs=INPUTS, outputs=OUTPUTS, columns=(), features=0, look_ahead=0, multiple_px=network.multiple_px,
        threshold=0.0, mac_per_pixel=mac_per_pixel(network), sample_space=space,
        provenance={**provenance, "normalisation": NORMALISATION}, reach_px=image_reach_px(network),
        upsampling=UPSAMPLING,
    )  # fmt: skip


def scores_image(draw: Draw, conditions: Conditions, frames: int = FRAMES) -> dict[str, Any]:
    """Return what a network scores beside the sum of all frames, and on what."""
    found = by_density({"image": draw, "sum": sum_image(conditions)}, conditions, frames, DENSITIES_PER_UM2)
    return {
        "data": f"simulated, held-out seed: {frames} frames of {STRUCTURE}, {PHOTONS:g} photons, 64 x 64 pixels; "
        "density per um^2 of the whole field. nmse: normalised mean square error under a Gaussian of one pixel, "
        "nmse_coarse of three; counted: sum of the image over molecules that shone",
        "by_density_per_um2": found["image"],
        "sum_of_frames": found["sum"],
    }


def validate_image(network: ImageNetwork, conditions: Conditions) -> dict[str, float]:
    """Return a few figures of a network while it is trained."""
    draw = drawer(DeployedImage(network))
    rows = by_density({"image": draw}, conditions, QUICK, QUICK_DENSITIES)["image"]
    return {f"{name}_at_{density}": value for density, row in rows.items() for name, value in row.items()}
