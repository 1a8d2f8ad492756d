"""Networks for crops with one emitter as they ship: their graph's ports, card, parity and scores."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import Any

import numpy as np

from export.card import Card, Port
from export.deployed_crops import DeployedCrops
from models.crops.build import crop_spots
from models.crops.oriented_scores import oriented_scores
from models.crops.samples import EmitterCrops, EmitterSimulator
from models.crops.scoring import (
    BACKGROUND_E,
    READ_NOISE_E,
    SEED,
    SINGLE_PHOTONS,
    HeldOut,
    held_out,
    scores_of,
)  # fmt: skip
from models.crops.shared_pupil import MOLECULES, pupil_errors
from models.crops.space import ORIENTED, mode_name
from models.crops.spots import CropSpots
from models.crops.wavefront_scores import wavefront_scores
from models.optics.low_rank import LowRankSpot
from models.recipe import Recipe
from models.sample_space import SampleSpace
from models.systems.reading import Reader

CROP = ("crop", "y", "x")
COUNTS = "photo-electrons over the excess noise factor F**2"
PLANES = ("crop", "plane", "y", "x")
INPUTS = (
    Port("counts", "float32", CROP, COUNTS + "; the emitter lies within a pixel of the corner between the middle ones"),
    Port("variance", "float32", CROP, "read noise: the same counts, squared"),
)
OUTPUTS = (Port("table", "float32", ("crop", "column"), "see columns: x, y from the centre; photons in " + COUNTS),)
CROPS, QUICK, PUPILS = 800, 400, 8
PLANES_CROPS, PLANES_PUPILS = 200, 3
"""Of networks that see two planes, where crops are slow to draw."""


def describe_crops(
    module: DeployedCrops[Reader], space: SampleSpace, recipe: Recipe, provenance: dict[str, Any]
) -> Card:  # fmt: skip
    """Return the card of a network for crops."""
    psf, side, planes = recipe.spot_name, module.crop_px, module.reader.planes
    found = ", ".join(name.rsplit("_", 1)[0] for name in module.reader.answers.names)
    where = f"{side} x {side} pixels" + (f" in {planes} planes" if planes > 1 else "")
    inputs = tuple(replace(port, axes=PLANES) for port in INPUTS) if planes > 1 else INPUTS
    return Card(
        name="-".join(filter(None, (psf, recipe.system, recipe.size))),
        title=f"{found} of one {psf + ' ' if psf else ''}spot in {where}",
        inputs=inputs, outputs=OUTPUTS, columns=module.reader.columns, features=0, look_ahead=0, multiple_px=side,
        threshold=0.0, mac_per_pixel=module.mac_per_pixel(), sample_space=space, provenance=provenance,
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
    module: DeployedCrops[Reader], space: SampleSpace, recipe: Recipe, spot: LowRankSpot | None, count: int = CROPS
) -> dict[str, Any]:
    """Return what the network scores, and on what."""
    spots = crop_spots(recipe.psf, space, spot, module.crop_px)
    if spots.further == ORIENTED:
        return _oriented(module, space, spots, count)
    if module.reader.planes > 1:
        return _wavefronts(module, space, spots, PLANES_PUPILS, PLANES_CROPS)
    assert spot is not None
    held = tests_of(recipe, space, spot, count)
    return {
        "data": f"simulated, held-out seed: {count} crops each, {READ_NOISE_E:g} e read noise, {BACKGROUND_E:g} "
        "photo-electrons of background, emitters at all z; error over the Cramer-Rao bound of whoever knows the pupil; "
        "aberrated: each crop behind aberrations of its own, as in the training; pupil_error_waves: root mean square "
        f"error of the pupil that {MOLECULES} crops behind it come to",
        "by_photons": {at: scores_of(module.answer(), crops) for at, crops in held.items()},
    } | _of_pupils(module, space, spots)


def _of_pupils(module: DeployedCrops[Reader], space: SampleSpace, spots: CropSpots) -> dict[str, Any]:
    """Return how far the pupil that many crops come to is from the true one; nothing of who does not look for it."""
    names = [mode_name(j) for j in spots.modes]
    if not {f"sigma_{name}" for name in names} <= set(module.reader.columns) or not names:
        return {}
    errors, _, _ = pupil_errors(module.answer(), spots, space, module.crop_px, PUPILS)
    rms = np.sqrt((errors**2).mean(axis=0)).tolist()
    return {"pupil_error_waves": {name: float(f"{value:.2g}") for name, value in zip(names, rms, strict=True)}}


def _oriented(module: DeployedCrops[Reader], space: SampleSpace, spots: CropSpots, count: int) -> dict[str, Any]:
    return {
        "data": f"simulated, held-out seed: {count} dipoles, {READ_NOISE_E:g} e read noise, {BACKGROUND_E:g} photo-"
        "electrons of background; angle between axes, and its Cramer-Rao bound; over_bound: median of error over bound",
        "by_photons": oriented_scores(module.answer(), spots, space, count),
    }


def _wavefronts(
    module: DeployedCrops[Reader], space: SampleSpace, spots: CropSpots, pupils: int, count: int
) -> dict[str, Any]:  # fmt: skip
    found, errors = wavefront_scores(module.answer(), spots, space, pupils, count)
    names = [mode_name(j) for j in spots.modes]
    return {
        "data": f"simulated, held-out seed: {pupils} pupils, {count} crops behind each, {READ_NOISE_E:g} e read noise, "
        f"{BACKGROUND_E:g} photo-electrons of background; root mean square wavefront error by photons and crops "
        "pooled, and the bound of who knows how aberrations are drawn; pupil_error_waves: by mode, largest pools",
        "by_photons": found,
        "pupil_error_waves": {name: float(f"{e:.2g}") for name, e in zip(names, errors.tolist(), strict=True)},
    }


def parity_crops(recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None, count: int) -> EmitterCrops:
    """Return crops from anywhere in the sample space."""
    spots = crop_spots(recipe.psf, space, spot, recipe.patch_px)
    return EmitterSimulator(spots, space, count, recipe.patch_px).draw(SEED, 0)


def validate_crops(
    network: Reader, recipe: Recipe, space: SampleSpace, spot: LowRankSpot | None
) -> dict[str, float]:  # fmt: skip
    """Return a few figures of a network while it is trained: error over bound by brightness and quantity."""
    module, figures = DeployedCrops(network, recipe.patch_px), dict[str, float]()
    if not recipe.psf:
        return _validate_own(module, recipe, space)
    assert spot is not None
    for at, held in tests_of(recipe, space, spot, QUICK).items():
        for name, row in scores_of(module.answer(), held).items():
            measure = "rmse" if name.startswith("noll") else "over_bound"
            value = row.get(measure, nan)
            assert isinstance(value, float)
            figures[f"{measure}_{name}_at_{at.replace(' photons', '').replace(', ', '_')}"] = value
    return figures


def _validate_own(module: DeployedCrops[Reader], recipe: Recipe, space: SampleSpace) -> dict[str, float]:
    """Return a few figures of a network whose spots are its own, by photons."""
    spots, answer = crop_spots("", space, None, recipe.patch_px), module.answer()
    if spots.further == ORIENTED:
        oriented = oriented_scores(answer, spots, space, QUICK // 2)
        return {f"median_deg_at_{at}": row["median_deg"] for at, row in oriented.items()}
    waves, _ = wavefront_scores(answer, spots, space, 1, QUICK // 4)
    return {f"rms_waves_of_{n}_at_{at}": row["rms_waves"] for at, rows in waves.items() for n, row in rows.items()}
