"""`livesmlm evaluate`: models against the Cramer-Rao bound and maximum likelihood, on the same scenes."""

from __future__ import annotations

from contextlib import ExitStack, closing
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from export.card import Card
from models.camera import Camera
from models.evaluation.classical import classical
from models.evaluation.conditions import Conditions, Locate, in_depth, in_focus
from models.evaluation.picasso import picasso
from models.evaluation.report import Effort, judge
from models.localizations import Localizations, concatenate
from models.optics.low_rank import LowRankSpot
from models.refining.candidates import Options
from models.refining.refine import Optics
from models.refining.spline import spline_of
from stream import zoo
from stream.commands.console import ERR
from stream.commands.evaluation_file import keep
from stream.config import EngineSettings
from stream.engine import Engine
from stream.engines import open_engine
from stream.errors import InputError, ModelError
from stream.frame import Batch
from stream.spots import gaussians
from stream.stages.localize import Localizer
from stream.stages.refine import Refiner
from stream.stages.stage import Stage
from stream.suitability import refuse_no_localizer

BATCH_FRAMES = 16
Results = dict[str, dict[str, Any]]
"""Name of a localizer -> what `judge` says of it."""


def conditions_for(card: Card, model: str) -> Conditions:
    """Return spot, camera and background that a model is judged with; raises ModelError if its spots are missing."""
    if "channel" in card.columns:
        raise ModelError(
            f"model {model!r} locates behind a mask of its own, colour by colour",
            limit="frames behind other optics say nothing of it",
            remedy="what it scored behind that mask stands on its card, the .json beside the model",
        )
    if "z_nm" not in card.columns:
        return in_focus()
    path = zoo.spot_of(model)
    try:
        return in_depth(LowRankSpot.load(path), card.sample_space)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: {error}", remedy="put the spot.npz of the training beside the model") from error


def contestant(engine: Engine, conditions: Conditions, refine: bool) -> Locate:
    """Return a model as it would run beside a microscope."""
    pixel, threshold = conditions.spot.pixel_size_nm, engine.card.threshold

    def locate(stack: NDArray[np.uint16], camera: Camera) -> Localizations:
        _, height, width = stack.shape
        stage: Stage = Localizer(engine, camera, height, width, pixel, threshold)
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


def evaluate(models: list[str], effort: Effort) -> Results:
    """Return the figures of each model, as it is and refined, of maximum likelihood, and of Picasso where it can."""
    with ExitStack() as stack:
        engines = {name: stack.enter_context(closing(open_engine(zoo.find(name), EngineSettings()))) for name in models}
        refuse_no_localizer(engines[models[0]].card)
        conditions = conditions_for(engines[models[0]].card, models[0])
        results = {}
        for name, locate in _contestants(engines, conditions).items():
            ERR.print(f"[dim]{name}[/]")
            results[name] = judge(locate, conditions, effort)
        return results


def _contestants(engines: dict[str, Engine], conditions: Conditions) -> dict[str, Locate]:
    (first, card), *_ = ((name, engine.card) for name, engine in engines.items())
    found: dict[str, Locate] = {}
    for name, engine in engines.items():
        if ("z_nm" in engine.card.columns) != ("z_nm" in card.columns):
            raise InputError(f"only one of {name} and {first} finds z", remedy="compare models for the same data")
        found[engine.card.name] = contestant(engine, conditions, refine=False)
        found[f"{engine.card.name}, refined"] = contestant(engine, conditions, refine=True)
    found["maximum likelihood"] = classical(conditions)
    rival = None if conditions.half_depth_nm else picasso(conditions.spot.pixel_size_nm)
    return found if rival is None else found | {"Picasso, Gaussian MLE": rival}


def localizers_in_terminal(models: list[str], effort: Effort, out: Path | None, as_json: bool) -> int:
    """Print what was found, and write it as JSON and as a picture; returns the exit code."""
    results = evaluate(models, effort)
    text = keep(results, out)
    if out is not None:
        try:
            from models.evaluation.curves import draw
        except ModuleNotFoundError as error:
            raise InputError(
                f"{error.name} is not installed: no picture", remedy="pip install 'livesmlm[train]'"
            ) from error
        draw(results, f"{models[0]}: sCMOS, 10 photo-electrons of background", out / "evaluation.png")
    if as_json:
        Console().print_json(text)
    else:
        for table in (*_dense_tables(results), *_single_tables(results), _artefact_table(results)):
            Console().print(table)
            Console().print()
    return 0


def _dense_tables(results: Results) -> list[Table]:
    """One table for each figure, a row for each localizer, a column for each density."""
    kinds = {"jaccard": "Jaccard", "rmse_lateral_nm": "Lateral RMSE / nm", "rmse_axial_nm": "Axial RMSE / nm",
             "efficiency_lateral": "Efficiency / %"}  # fmt: skip
    rows = next(iter(results.values()))["by_density"]
    heads = [f"{row['density_per_um2']:g}" for row in rows]
    tables = []
    for column, title in kinds.items():
        if column in rows[0] and isfinite(rows[0][column]):
            table = _table(f"{title}, by emitters per µm²", heads)
            digits = 3 if column == "jaccard" else 0
            for name, result in results.items():
                table.add_row(name, *(f"{row[column]:.{digits}f}" for row in result["by_density"]))
            tables.append(table)
    return tables


def _single_tables(results: Results) -> list[Table]:
    tables = []
    for number, photons in enumerate(row["photons"] for row in next(iter(results.values()))["single"]):
        axes = "xyz"[: len(next(iter(results.values()))["single"][number]["pull"])]
        heads = [f"{axis} / bound" for axis in axes] + [f"{axis} / sigma" for axis in axes] + ["outliers", "found"]
        table = _table(
            f"Single emitters of {photons:g} photo-electrons: RMSE over the Cramér-Rao bound, over the stated sigma",
            heads,
        )
        for name, result in results.items():
            row = result["single"][number]
            figures = [f"{value:.2f}" for value in (*row["over_bound"], *row["pull"])]
            table.add_row(name, *figures, f"{100 * max(row['outliers']):.1f} %", f"{100 * row['found']:.1f} %")
        tables.append(table)
    return tables


def _artefact_table(results: Results) -> Table:
    table = _table("What is not there", ["false per 1e5 empty pixels", "chi-square of x in the pixel", "of y"])
    for name, result in results.items():
        flat = result["flatness_in_pixel"]
        figures = [f"{flat[f'found_{axis}']:.2f} (truth {flat[f'truth_{axis}']:.2f})" for axis in ("x_nm", "y_nm")]
        table.add_row(name, f"{result['false_positives_per_1e5_px']:.2f}", *figures)
    return table


def _table(title: str, heads: list[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for head in heads:
        table.add_column(head, justify="right")
    return table
