"""`livesmlm evaluate` for networks that localize in crops: against the bound and fits, on the same crops."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from export.card import Card
from models.recipe import Recipe
from stream import zoo
from stream.commands.console import ERR
from stream.commands.crop_contestants import ONE_THREAD, answering, error_cell, per_second, table_of
from stream.commands.evaluate_own_spots import own_spots_in_terminal
from stream.commands.evaluation_file import keep
from stream.commands.training import needs_torch
from stream.crops import refuse_other_than_crops, spot_of
from stream.engines import open_engine
from stream.errors import InputError

if TYPE_CHECKING:
    from models.crops.scoring import Answer

Results = dict[str, dict[str, dict[str, Any]]]
"""Kind of crops -> name -> what `scores_of` says, and `per_second`."""


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
    text = keep(results, out)
    if out is not None:
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


def _judged(answer: Answer, held: Any) -> dict[str, Any]:
    """Return the scores, and how many crops a second are answered for on one thread."""
    rate = per_second(answer, held.crops.counts.numpy(), held.crops.variance.numpy())
    scores: dict[str, Any] = needs_torch("models.crops.scoring").scores_of(answer, held)
    return scores | {"per_second": rate}


def _table(at: str, rows: dict[str, dict[str, Any]]) -> Table:
    """Return a row for each quantity, a column for each contestant: error, and how many times the bound."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row if name != "per_second"))
    table = table_of(f"{at}: RMSE (over the bound; outliers)", "", *rows)
    for name in names:
        table.add_row(name, *(error_cell(row.get(name)) for row in rows.values()))
    table.add_row("crops per second, one thread", *(f"{row['per_second']}" for row in rows.values()))
    return table


def _depth_table(at: str, rows: dict[str, dict[str, Any]]) -> Table:
    """Return the error of z over the bound in slices of z."""
    known = {who: row["z_nm"]["by_z"] for who, row in rows.items() if "z_nm" in row}
    heights = (f"{one['z_nm']:.0f}" for one in next(iter(known.values()), []))
    table = table_of(f"{at}: RMSE of z over the bound, by z / nm", "", *heights)
    for who, slices in known.items():
        table.add_row(who, *(f"{one['over_bound']:.2f}" if "over_bound" in one else "-" for one in slices))
    return table
