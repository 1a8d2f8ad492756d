"""Networks for crops with one emitter as they ship: their graph's ports, card, parity and scores."""

from __future__ import annotations

from copy import deepcopy
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from export.card import Card, Port
from models.crops.scoring import (
    BACKGROUND_E,
    READ_NOISE_E,
    SINGLE_PHOTONS,
    Answer,
    Float32,
    Float64,
    HeldOut,
    columns_of,
    held_out,
    scores_of,
)  # fmt: skip
from models.crops.shared_pupil import MOLECULES, pupil_errors
from models.crops.space import mode_name
from models.crops.spots import CropSpots, crop_spots
from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.reading import Reader

CROP = ("crop", "y", "x")
COUNTS = "photo-electrons over the excess noise factor F**2"
INPUTS = (
    Port("counts", "float32", CROP, COUNTS + "; the emitter lies within a pixel of the corner between the middle ones"),
    Port("variance", "float32", CROP, "read noise: the same counts, squared"),
)
OUTPUTS = (Port("table", "float32", ("crop", "column"), "see columns: x, y from the centre; photons in " + COUNTS),)
CROPS, QUICK, PUPILS = 800, 400, 8


class DeployedReader(nn.Module):
    """A network for crops with what the exporter asks of a graph.

    Parameters
    ----------
    reader : Reader
    crop_px : int
    """

    def __init__(self, reader: Reader, crop_px: int) -> None:
        super().__init__()
        self.reader, self.crop_px = reader.eval(), crop_px

    def forward(self, counts: Tensor, variance: Tensor) -> Tensor:
        """Axes and units as in `INPUTS` and `OUTPUTS`."""
        return self.reader.table(counts, variance)

    def example(self) -> tuple[tuple[Tensor, ...], tuple[Any, ...]]:
        """Return inputs, and which of their axes are free."""
        crops = {0: torch.export.Dim("crop", min=1)}
        counts, variance = (torch.rand(2, self.crop_px, self.crop_px) * most for most in (100, 2))
        return (counts, variance), (crops, crops)


def answering(module: DeployedReader) -> Answer:
    """Return the network as a function of arrays."""

    def answer(counts: Float32, variance: Float32) -> dict[str, Float64]:
        with torch.no_grad():
            table = module(torch.from_numpy(counts), torch.from_numpy(variance)).numpy()
        return columns_of(module.reader.columns, table)

    return answer


def describe_crops(
    module: DeployedReader, space: SampleSpace, recipe: Recipe, provenance: dict[str, Any]
) -> Card:  # fmt: skip
    """Return the card of a network for crops."""
    counter, (example, _) = FlopCounterMode(display=False), module.example()
    with counter, torch.no_grad():
        module(*example)
    psf, side = Path(recipe.psf).stem, module.crop_px
    found = ", ".join(name.rsplit("_", 1)[0] for name in module.reader.answers.names)
    return Card(
        name=f"{psf}-{recipe.system}-{recipe.size}", title=f"{found} of one {psf} spot in {side} x {side} pixels",
        inputs=INPUTS, outputs=OUTPUTS, columns=module.reader.columns, features=0, look_ahead=0, multiple_px=side,
        threshold=0.0, mac_per_pixel=int(counter.get_total_flops()) // 2 // example[0].numel(), sample_space=space,
        provenance=provenance,
    )  # fmt: skip


def tests_of(recipe: Recipe, space: SampleSpace, spot: LowRankSpot, count: int) -> dict[str, HeldOut]:
    """Return held-out crops by brightness; where aberrations differ in the training, also such crops."""
    spots = crop_spots(recipe.psf, space, spot, recipe.patch_px)
    kinds = {"": False} | ({", aberrated": True} if spots.modes else {})
    return {
        f"{photons:g} photons{kind}": held_out(spots, space, recipe.patch_px, photons, count, aberrated)
        for photons in SINGLE_PHOTONS
        for kind, aberrated in kinds.items()
    }


def scores_crops(
    module: DeployedReader, space: SampleSpace, recipe: Recipe, spot: LowRankSpot, count: int = CROPS
) -> dict[str, Any]:
    """Return what the network scores, and on what."""
    held = tests_of(recipe, space, spot, count)
    return {
        "data": f"simulated, held-out seed: {count} crops each, {READ_NOISE_E:g} e read noise, {BACKGROUND_E:g} "
        "photo-electrons of background, emitters at all z; error over the Cramer-Rao bound of whoever knows the pupil; "
        "aberrated: each crop behind aberrations of its own, as in the training; pupil_error_waves: root mean square "
        f"error of the pupil that {MOLECULES} crops behind it come to",
        "by_photons": {at: scores_of(answering(module), crops) for at, crops in held.items()},
    } | _of_pupils(module, space, crop_spots(recipe.psf, space, spot, module.crop_px))


def _of_pupils(module: DeployedReader, space: SampleSpace, spots: CropSpots) -> dict[str, Any]:
    """Return how far the pupil that many crops come to is from the true one; nothing of who does not look for it."""
    names = [mode_name(j) for j in spots.modes]
    if not {f"sigma_{name}" for name in names} <= set(module.reader.columns) or not names:
        return {}
    errors, _, _ = pupil_errors(answering(module), spots, space, module.crop_px, PUPILS)
    rms = np.sqrt((errors**2).mean(axis=0)).tolist()
    return {"pupil_error_waves": {name: float(f"{value:.2g}") for name, value in zip(names, rms, strict=True)}}


def beside_torch(path: Path, module: DeployedReader, held: HeldOut) -> dict[str, float]:
    """Return by column the largest difference of a file in ONNX Runtime from the network in torch in float64."""
    session = onnxruntime.InferenceSession(path)
    counts, variance = held.crops.counts, held.crops.variance
    (found,) = session.run(None, {"counts": counts.numpy(), "variance": variance.numpy()})
    with torch.no_grad():
        exact = deepcopy(module).double()(counts.double(), variance.double()).numpy()
    largest = np.abs(np.asarray(found) - exact).max(axis=0).tolist()
    return {name: float(f"{value:.2g}") for name, value in zip(module.reader.columns, largest, strict=True)}


def validate_crops(
    network: Reader, recipe: Recipe, space: SampleSpace, spot: LowRankSpot
) -> dict[str, float]:  # fmt: skip
    """Return a few figures of a network while it is trained: error over bound by brightness and quantity."""
    module, figures = DeployedReader(network, recipe.patch_px), {}
    for at, held in tests_of(recipe, space, spot, QUICK).items():
        for name, row in scores_of(answering(module), held).items():
            measure = "rmse" if name.startswith("noll") else "over_bound"
            value = row.get(measure, nan)
            assert isinstance(value, float)
            figures[f"{measure}_{name}_at_{at.replace(' photons', '').replace(', ', '_')}"] = value
    return figures
