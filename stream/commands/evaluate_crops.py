"""`livesmlm evaluate` for networks that localize in crops: against the bound and fits, on the same crops."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from export.card import Card
from models.recipe import Recipe
from stream import zoo
from stream.commands.console import ERR
from stream.commands.evaluate_own_spots import own_spots_in_terminal
from stream.commands.training import needs_torch
from stream.config import EngineSettings
from stream.crops import refuse_other_than_crops, spot_of
from stream.engine import Engine
from stream.engines import open_engine
from stream.errors import InputError

if TYPE_CHECKING:
    from models.crops.scoring import Answer, Float32, Float64

Results = dict[str, dict[str, dict[str, Any]]]
"""Kind of crops -> name -> what `scores_of` says, and `per_second`."""
ONE_THREAD = EngineSettings(threads=1)


def evaluate_crops(models: list[str], count: int) -> Results:
    """Return the figures of each model, and of maximum likelihood with the spots of the first one.

    Parameters
    ----------
    models : list of str
        All for the same spots and crops of the same side.
    count : int
        Crops of each kind.

    Raises
    ------
    ModelError, InputError
        One of them is not for crops, or for others than the first.
    """
    crops, fitted = needs_torch("export.crops"), needs_torch("models.crops.fitted")
    with ExitStack() as stack:
        engines = [stack.enter_context(closing(open_engine(zoo.find(name), ONE_THREAD))) for name in models]
        _refuse_mixed(models, [engine.card for engine in engines])
        card, spot = engines[0].card, spot_of(zoo.find(models[0]))
        contestants = {engine.card.name: answering(engine) for engine in engines}
        contestants["maximum likelihood"] = fitted.fitting(spot, card.multiple_px)
        results: Results = {}
        for at, held in crops.tests_of(_recipe(card), card.sample_space, spot, count).items():
            ERR.print(f"[dim]{at}[/]")
            results[at] = {name: _judged(answer, held) for name, answer in contestants.items()}
        return results


def crops_in_terminal(models: list[str], count: int, out: Path | None, as_json: bool) -> int:
    """Print what was found, and write it as JSON and as a picture; returns the exit code."""
    with closing(open_engine(zoo.find(models[0]), ONE_THREAD)) as first:
        own = not first.card.provenance["recipe"]["psf"]
    if own:
        return own_spots_in_terminal(models, count, out, as_json)
    results = evaluate_crops(models, count)
    text = json.dumps(results, indent=1)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "evaluation.json").write_text(text + "\n")
        needs_torch("models.crops.curves").draw(results, f"{models[0]}: sCMOS", out / "evaluation.png")
    if as_json:
        Console().print_json(text)
    else:
        for at, rows in results.items():
            Console().print(_table(at, rows))
            Console().print(_depth_table(at, rows))
    return 0


def _recipe(card: Card) -> Recipe:
    return Recipe(**card.provenance["recipe"])


def _refuse_mixed(models: list[str], cards: list[Card]) -> None:
    first = cards[0]
    for model, card in zip(models, cards, strict=True):
        refuse_other_than_crops(card, f"model {model!r}")
        kinds = [(one.multiple_px, _recipe(one).psf) for one in (first, card)]
        if kinds[0] != kinds[1]:
            raise InputError(
                f"{models[0]} and {model} are for crops of {kinds[0]} and {kinds[1]} (pixels, spots)",
                remedy="compare models for the same crops",
            )


def answering(engine: Engine) -> Answer:
    """Return a model as a function of arrays."""

    def answer(counts: Float32, variance: Float32) -> dict[str, Float64]:
        table = engine.run({"counts": counts, "variance": variance})["table"]
        return dict(zip(engine.card.columns, np.asarray(table, np.float64).T, strict=True))

    return answer


def _judged(answer: Answer, held: Any) -> dict[str, Any]:
    """Return the scores, and how many crops a second are answered for on one thread."""
    counts, variance = held.crops.counts.numpy(), held.crops.variance.numpy()
    began = time.perf_counter()
    answer(counts, variance)
    seconds = time.perf_counter() - began
    scores: dict[str, Any] = needs_torch("models.crops.scoring").scores_of(answer, held)
    return scores | {"per_second": round(len(counts) / seconds)}


def _table(at: str, rows: dict[str, dict[str, Any]]) -> Table:
    """Return a row for each quantity, a column for each contestant: error, and how many times the bound."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row if name != "per_second"))
    table = Table(title=f"{at}: RMSE (over the bound; outliers)", title_justify="left", box=None)
    for head in ("", *rows):
        table.add_column(head, justify="right" if head else "left")
    for name in names:
        table.add_row(name, *(_cell(row.get(name)) for row in rows.values()))
    table.add_row("crops per second, one thread", *(f"{row['per_second']}" for row in rows.values()))
    return table


def _cell(figures: dict[str, Any] | None) -> str:
    if figures is None or "rmse" not in figures:
        return "-"
    ratio = f" ({figures['over_bound']:.2f}; {100 * figures['outliers']:.0f} %)" if "over_bound" in figures else ""
    return f"{figures['rmse']:.3g}{ratio}"


def _depth_table(at: str, rows: dict[str, dict[str, Any]]) -> Table:
    """Return the error of z over the bound in slices of z."""
    table = Table(title=f"{at}: RMSE of z over the bound, by z / nm", title_justify="left", box=None)
    known = {who: row["z_nm"]["by_z"] for who, row in rows.items() if "z_nm" in row}
    table.add_column("")
    for one in next(iter(known.values()), []):
        table.add_column(f"{one['z_nm']:.0f}", justify="right")
    for who, slices in known.items():
        table.add_row(who, *(f"{one['over_bound']:.2f}" if "over_bound" in one else "-" for one in slices))
    return table
