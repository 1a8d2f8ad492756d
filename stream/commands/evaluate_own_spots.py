"""`livesmlm evaluate` for networks of orientations, and of aberrations in two planes: errors beside bounds."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from stream import zoo
from stream.commands.console import ERR
from stream.commands.crop_contestants import ONE_THREAD, answering, table_of
from stream.commands.evaluation_file import keep
from stream.commands.training import needs_torch
from stream.crops import refuse_other_than_crops, sees_two_planes
from stream.engine import Engine
from stream.engines import open_engine

PUPILS = 4
HEADS = {"median_deg": "median / deg", "rmse_deg": "RMSE / deg", "bound_deg": "bound / deg",
         "over_bound": "RMSE / bound", "outliers": "above 5 bounds"}  # fmt: skip


def own_spots_in_terminal(models: list[str], count: int, out: Path | None, as_json: bool) -> int:
    """Print what was found, and write it as JSON; returns the exit code.

    Parameters
    ----------
    models : list of str
        Each on crops of its own sample space.
    count : int
        Dipoles; or crops behind each of four pupils.
    out : Path or None
    as_json : bool
    """
    results = {}
    for model in models:
        with closing(open_engine(zoo.find(model), ONE_THREAD)) as engine:
            refuse_other_than_crops(engine.card, f"model {model!r}")
            ERR.print(f"[dim]{engine.card.name}[/]")
            results[engine.card.name] = _judged(engine, count)
    text = keep(results, out)
    if as_json:
        Console().print_json(text)
        return 0
    for name, found in results.items():
        Console().print(_pooled(name, found) if "bound_waves" in _first(found) else _oriented(name, found))
    return 0


def _judged(engine: Engine, count: int) -> dict[str, Any]:
    card = engine.card
    spots = needs_torch("models.crops.build").crop_spots("", card.sample_space, None, card.multiple_px)

    answer = answering(engine)
    judged: dict[str, Any]
    if sees_two_planes(card):
        waves = needs_torch("models.crops.wavefront_scores")
        judged, _ = waves.wavefront_scores(answer, spots, card.sample_space, PUPILS, count)
    else:
        angles = needs_torch("models.crops.oriented_scores")
        judged = angles.oriented_scores(answer, spots, card.sample_space, count)
    return judged


def _first(found: dict[str, Any]) -> dict[str, Any]:
    row = next(iter(found.values()))
    return next((one for one in row.values() if isinstance(one, dict)), row)


def _oriented(name: str, found: dict[str, Any]) -> Table:
    table = table_of(f"{name}: angle between axes, by photons", "photons", *HEADS.values())
    for photons, row in found.items():
        table.add_row(photons, *(f"{row[column]:.3g}" for column in HEADS))
    return table


def _pooled(name: str, found: dict[str, Any]) -> Table:
    table = table_of(f"{name}: RMS (bound) / mλ, by crops pooled", "photons", *next(iter(found.values())))
    for photons, row in found.items():
        table.add_row(
            photons, *(f"{1e3 * one['rms_waves']:.0f} ({1e3 * one['bound_waves']:.0f})" for one in row.values())
        )
    return table
