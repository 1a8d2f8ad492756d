"""What a network scores while it is trained, and what goes on its card: always the same held-out scenes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from export.background import validate_background
from export.bleaching import validate_steps
from export.channels import THRESHOLD as COLOUR_THRESHOLD
from export.channels import DeployedChannels, validate_channels
from export.colour import validate_colours
from export.crops import validate_crops
from export.exported import Shaped
from export.graph import MULTIPLE_PX
from export.image import validate_image
from export.localizers import as_localizer
from export.phase import validate_phase
from export.points import SURE
from export.prediction import validate_prediction
from models.camera import Camera
from models.evaluation.conditions import Conditions, Locate, in_depth, in_focus
from models.evaluation.dense import dense
from models.evaluation.isolated import calibration, isolated, precision
from models.evaluation.report import NEAR_FOCUS, SEED, SINGLE_PHOTONS, USUAL_PHOTONS
from models.layers import OverFrames
from models.localizations import Localizations
from models.masks.joint import Joint
from models.masks.spot import spot_behind
from models.optics.low_rank import LowRankSpot
from models.sample_space import SampleSpace
from models.systems import SYSTEMS
from models.systems.anna_palm import AnnaPalm
from models.systems.bgnet import BgNet
from models.systems.colouring import ColourReader
from models.systems.deep_loco import DeepLoco
from models.systems.deep_storm import ImageNetwork
from models.systems.deep_storm_3d import DeepStorm3d
from models.systems.hershko import HershkoLocalizer
from models.systems.reading import Reader
from models.systems.xu_bleaching import StepCounter
from models.train import Trainer

DENSITIES_PER_UM2 = (0.1, 0.25, 0.5, 1.0, 2.0)
FRAMES, EMITTERS = 100, 600
THRESHOLDS = {2: 0.6, 3: 0.5}
"""Detection probability by dimensions: in two, dim spots below it are more often noise than not."""
CHUNK = 8
"""Frames at once: volumes of voxels take up to 0.5 GB each."""


def threshold_of(network: OverFrames | DeepLoco | DeepStorm3d) -> float:
    """Return from which probability, or weight of points, rows are told."""
    return SURE if isinstance(network, DeepLoco) else THRESHOLDS[network.dimensions]


class Runnable(Protocol):
    """A deployed localizer, in torch or as the file that was made of it."""

    @property
    def network(self) -> Shaped:
        """Its shape."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the table."""

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Take the inputs of the graph in order, return its outputs."""


def conditions_for(space: SampleSpace, spot: LowRankSpot | None) -> Conditions:
    """Return what a network of this sample space is judged with."""
    return in_focus() if spot is None else in_depth(spot, space)


def locator(module: Runnable, threshold: float, pixel_size_nm: float) -> Locate:
    """Return it as a localizer; the first and the last frame stand in for their neighbours."""

    def locate(stack: NDArray[np.uint16], camera: Camera) -> Localizations:
        padded, parts = np.concatenate((stack[:1], stack, stack[-1:])), []
        for first in range(0, len(stack), CHUNK):
            rows, frames = _rows(module, padded[first : first + CHUNK + 2], camera, threshold)
            parts.append(np.column_stack((frames + first, rows)))
        table = np.concatenate(parts)
        columns_nm = {"frame": table[:, 0]}
        for name, values in zip(module.columns, table.T[1:], strict=True):
            columns_nm[name.replace("_px", "_nm")] = values * (pixel_size_nm if name.endswith("_px") else 1)
        return Localizations(columns_nm)

    return locate


def locator_of(joint: Joint, space: SampleSpace) -> Locate:
    """Return the network behind a mask as a localizer."""
    assert isinstance(joint.network, HershkoLocalizer)
    return locator(DeployedChannels(joint.network), COLOUR_THRESHOLD, space.scale("pixel_size_nm")[0])


def _rows(
    module: Runnable, padded: NDArray[np.uint16], camera: Camera, threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Locate the frames between the first and the last; returns rows and the frame of each."""
    with torch.no_grad():
        frame, table, _, _ = module(*(torch.from_numpy(values) for values in feed(module, padded, camera, threshold)))
    frames = frame.numpy() - 2  # one for the look-ahead, one for the frame before the first
    here = (frames >= 0) & (frames < len(padded) - 2)
    return table.numpy()[here], frames[here]


def feed(
    module: Runnable, frames: NDArray[np.uint16], camera: Camera, threshold: float
) -> tuple[NDArray[np.generic], ...]:
    """Return the inputs of the graph for frames with nothing before them, in order."""
    _, height, width = frames.shape
    plane = np.ones((height, width), np.float32)
    maps = [plane * np.float32(v) for v in (camera.offset_adu, camera.adu_per_photo_electron, camera.variance_e2)]
    scalars = [np.asarray(value, np.float32) for value in (camera.excess, threshold)]
    padded_px = (-(-side // MULTIPLE_PX) * MULTIPLE_PX // module.network.stride for side in (height, width))
    return (frames, *maps, *scalars, np.zeros((2, module.network.channels, *padded_px), np.float32))


def scores(module: Runnable, conditions: Conditions, threshold: float) -> dict[str, Any]:
    """Return what the network scores, and on what."""
    locate = locator(module, threshold, conditions.spot.pixel_size_nm)
    depth = NEAR_FOCUS * conditions.half_depth_nm
    return {
        "data": "simulated, held-out seed: sCMOS with 1.5 e read noise, 10 photo-electrons of background; "
        "2,000 photons by density; single emitters within 80 % of the depth",
        "by_density_per_um2": {
            str(d): dense(locate, conditions, d, USUAL_PHOTONS, FRAMES, SEED) for d in DENSITIES_PER_UM2
        },
        "single_by_photons": {
            str(n): precision(found) | calibration(found)
            for n in SINGLE_PHOTONS
            for found in (isolated(locate, conditions, n, EMITTERS, SEED + 1).within(depth),)
        },
    }


def validate(trainer: Trainer) -> dict[str, float]:
    """Return a few figures of the averaged network while it is trained; nan for what does not apply."""
    network = deepcopy(trainer.averaged).to("cpu").eval()
    kind = SYSTEMS[trainer.recipe.system].kind
    if kind == "phase":
        return validate_phase(network, trainer.space, trainer.recipe)
    if kind == "background":
        assert isinstance(network, BgNet)
        return validate_background(network, trainer.space, trainer.spot, trainer.recipe.patch_px)
    if kind == "crops":
        assert isinstance(network, Reader)
        return validate_crops(network, trainer.recipe, trainer.space, trainer.spot)
    if isinstance(network, Joint) and isinstance(network.network, HershkoLocalizer):
        return validate_channels(locator_of(network, trainer.space), network, trainer.space)
    if kind == "colour":
        assert isinstance(network, ColourReader)
        return validate_colours(network, trainer.recipe, trainer.space)
    if kind == "prediction":
        assert isinstance(network, AnnaPalm)
        return validate_prediction(network, trainer.space)
    if kind == "trace":
        assert isinstance(network, StepCounter)
        return validate_steps(network, trainer.space)
    spot = trainer.spot
    if isinstance(network, Joint):
        spot = spot_behind(network.mask.held(), trainer.space)
        network = network.network
    conditions = conditions_for(trainer.space, spot)
    if kind == "image":
        assert isinstance(network, ImageNetwork)
        return validate_image(network, conditions)
    assert isinstance(network, OverFrames | DeepLoco | DeepStorm3d)
    module = as_localizer(network, trainer.space)
    locate = locator(module, threshold_of(network), conditions.spot.pixel_size_nm)
    crowd = dense(locate, conditions, 1.0, USUAL_PHOTONS, 12, SEED + 2)
    found = isolated(locate, conditions, 1000.0, 150, SEED + 3).within(NEAR_FOCUS * conditions.half_depth_nm)
    figures = {name: crowd[name] for name in ("jaccard", "rmse_lateral_nm", "rmse_axial_nm")}
    for name, values in {"over_bound": precision(found)["over_bound"], "pull": calibration(found)["pull"]}.items():
        figures |= {f"{name}_{axis}": value for axis, value in zip("xyz", values, strict=False)}
    return figures
