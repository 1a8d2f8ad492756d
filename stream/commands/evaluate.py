"""`livesmlm evaluate`: a model against the Cramer-Rao bound, maximum likelihood and other models, on the same scenes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from export.card import Card
from models.camera import Camera
from models.evaluation.classical import classical
from models.evaluation.conditions import Conditions, Locate, in_focus
from models.evaluation.report import Effort, judge
from models.localizations import Localizations, concatenate
from models.optics.low_rank import LowRankSpot
from models.refining.joint import Options
from models.refining.refine import Optics
from stream import zoo
from stream.commands.console import ERR
from stream.engine import Engine
from stream.engines import open_engine
from stream.errors import InputError, ModelError
from stream.frame import Batch
from stream.spots import gaussians, spline_of
from stream.stages.localize import Localizer
from stream.stages.refine import Refiner
from stream.stages.stage import Stage

BATCH_FRAMES = 16


def conditions_for(card: Card, model: str) -> Conditions:
    """Return spot, camera and background that a model is judged with; raises ModelError if its spots are missing."""
    if "z_nm" not in card.columns:
        return in_focus()
    path = zoo.spot_of(model)
    try:
        return Conditions(LowRankSpot.load(path), card.sample_space.scale("z_nm")[1])
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: {error}", remedy="put the spot.npz of the training beside the model") from error


def contestant(engine: Engine, conditions: Conditions, refine: bool) -> Locate:
    """Return a model as it would run beside a microscope."""
    pixel, threshold = conditions.spot.pixel_size_nm, engine.card.threshold

    def locate(stack: NDArray[np.uint16], camera: Camera) -> Localizations:
        stage: Stage = Localizer(engine, camera, *stack.shape[1:], pixel, threshold)
        if refine:
            stage = Refiner(stage, _optics(conditions, camera), "all", Options())
        none = np.full(len(stack), np.nan)
        parts = []
        for first in range(0, len(stack), BATCH_FRAMES):
            cut = slice(first, first + BATCH_FRAMES)
            index = np.arange(len(stack))[cut]
            parts.append(stage.process(Batch(stack[cut], index, none[cut], none[cut], none[cut])))
        parts.append(stage.flush())
        return concatenate([part.table for part in parts])

    return locate


def _optics(conditions: Conditions, camera: Camera) -> Optics:
    if isinstance(conditions.spot, LowRankSpot):
        return Optics(spline_of(conditions.spot), camera)
    return gaussians(conditions.spot.pixel_size_nm, None, camera)


def evaluate(models: list[str], effort: Effort) -> dict[str, dict[str, Any]]:
    """Return the figures of each model, of the first one refined, and of maximum likelihood."""
    engines = {name: open_engine("onnx-runtime", zoo.find(name), "cpu", 0) for name in models}
    first = engines[models[0]]
    conditions = conditions_for(first.card, models[0])
    contestants: dict[str, Locate] = {}
    for name, engine in engines.items():
        if set(engine.card.columns) != set(first.card.columns):
            raise InputError(f"{name} and {models[0]} answer with other columns", remedy="compare models for the same data")
        contestants[engine.card.name] = contestant(engine, conditions, refine=False)
        contestants[f"{engine.card.name}, refined"] = contestant(engine, conditions, refine=True)
    contestants["maximum likelihood"] = classical(conditions)
    results = {}
    for name, locate in contestants.items():
        ERR.print(f"[dim]{name}[/]")
        results[name] = judge(locate, conditions, effort)
    return results


def evaluate_in_terminal(models: list[str], effort: Effort, out: Path | None, as_json: bool) -> int:
    """Print what was found, and write it as JSON and as a picture; returns the exit code."""
    results = evaluate(models, effort)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "evaluation.json").write_text(json.dumps(results, indent=1) + "\n")
        try:
            from models.evaluation.curves import draw
        except ModuleNotFoundError as error:
            raise InputError(f"{error.name} is not installed: no picture", remedy="pip install 'livesmlm[train]'") from error
        draw(results, f"{models[0]}: sCMOS, 10 photo-electrons of background", out / "evaluation.png")
    if as_json:
        Console().print_json(json.dumps(results))
    else:
        for table in (_dense_table(results), _single_table(results)):
            Console().print(table)
    return 0


def _dense_table(results: dict[str, dict[str, Any]]) -> Table:
    table = Table(title="Jaccard / lateral RMSE in nm / axial RMSE in nm, by emitters per µm²", title_justify="left")
    table.add_column("")
    for row in next(iter(results.values()))["by_density"]:
        table.add_column(f"{row['density_per_um2']:g}", justify="right")
    for name, result in results.items():
        cells = [
            f"{row['jaccard']:.3f} / {row['rmse_lateral_nm']:.0f}"
            + (f" / {row['rmse_axial_nm']:.0f}" if row["rmse_axial_nm"] == row["rmse_axial_nm"] else "")
            for row in result["by_density"]
        ]
        table.add_row(name, *cells)
    return table


def _single_table(results: dict[str, dict[str, Any]]) -> Table:
    table = Table(title="Single emitters: RMSE / Cramér-Rao bound, and error / stated sigma, in x y z", title_justify="left")
    table.add_column("")
    for row in next(iter(results.values()))["single"]:
        table.add_column(f"{row['photons']:g} photons", justify="right")
        table.add_column("pulls", justify="right")
    table.add_column("false per 1e5 px", justify="right")
    table.add_column("flatness in pixel (truth)", justify="right")
    for name, result in results.items():
        cells = []
        for row in result["single"]:
            cells += [" ".join(f"{v:.2f}" for v in row["over_bound"]), " ".join(f"{v:.2f}" for v in row["pull"])]
        flat = result["flatness_in_pixel"]
        cells += [f"{result['false_positives_per_1e5_px']:.2f}", f"{flat['found_x_nm']:.1f} ({flat['truth_x_nm']:.1f})"]
        table.add_row(name, *cells)
    return table
