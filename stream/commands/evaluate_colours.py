"""`livesmlm evaluate` for networks that tell colours: by brightness, beside fits with the spots of all colours."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from export.card import Card
from models.colours.dyes import dyes_of, names_of
from stream import zoo
from stream.commands.console import ERR
from stream.commands.crop_contestants import ONE_THREAD, answering, error_cell, per_second, table_of
from stream.commands.evaluation_file import keep
from stream.commands.training import needs_torch
from stream.crops import localizes_in_crops
from stream.engines import open_engine
from stream.errors import InputError

Results = dict[str, dict[str, dict[str, Any]]]
"""Brightness -> name -> what `scores_of_colours` says, and `per_second`."""


def tells_colours(card: Card) -> bool:
    """Return whether a model tells colours in crops; localizers of colours do it in frames."""
    return localizes_in_crops(card) and "channel" in card.columns


def evaluate_colours(models: list[str], count: int) -> Results:
    """Return the figures of each model, and of the likeliest fit, on the same crops.

    Parameters
    ----------
    models : list of str
        All for the same dyes and crops of the same side.
    count : int
        Crops of each colour and brightness.

    Raises
    ------
    ModelError, InputError
        One of them tells no colours, or others than the first.
    """
    colours, scoring = needs_torch("export.colour"), needs_torch("models.colours.scoring")
    with ExitStack() as stack:
        engines = [stack.enter_context(closing(open_engine(zoo.find(name), ONE_THREAD))) for name in models]
        _refuse_mixed(models, [engine.card for engine in engines])
        space, side = engines[0].card.sample_space, engines[0].card.multiple_px
        contestants = {engine.card.name: answering(engine) for engine in engines}
        contestants[colours.YARDSTICK] = colours.yardstick(space, side)
        results: Results = {}
        for at, held in colours.colour_tests(space, side, count).items():
            ERR.print(f"[dim]{at}[/]")
            results[at] = {
                name: scoring.scores_of_colours(answer, held)
                | {"per_second": per_second(answer, held.counts, held.variance)}
                for name, answer in contestants.items()
            }
        return results


def colours_in_terminal(models: list[str], count: int, out: Path | None, as_json: bool) -> int:
    """Print what was found, and write it as JSON and as a picture; returns the exit code."""
    results = evaluate_colours(models, count)
    text = keep(results, out)
    if out is not None:
        needs_torch("models.colours.curves").draw(results, f"{models[0]}: sCMOS", out / "evaluation.png")
    if as_json:
        Console().print_json(text)
        return 0
    with closing(open_engine(zoo.find(models[0]), ONE_THREAD)) as engine:
        names = names_of(engine.card.sample_space)
    Console().print(_colour_table(results))
    Console().print(_by_z_table(results))
    for k, name in enumerate(names):
        Console().print(_depth_table(results, k, name))
    return 0


def _refuse_mixed(models: list[str], cards: list[Card]) -> None:
    for model, card in zip(models, cards, strict=True):
        if not tells_colours(card):
            raise InputError(f"{model} ({card.title}) tells no colours", remedy="compare models that do")
        if (card.multiple_px, dyes_of(card.sample_space)) != (cards[0].multiple_px, dyes_of(cards[0].sample_space)):
            raise InputError(
                f"{models[0]} and {model} are for other dyes or crops ({cards[0].title}; {card.title})",
                remedy="compare models for the same crops",
            )


def _colour_table(results: Results) -> Table:
    """Return a row for each contestant: percent told rightly by brightness, what it states in brackets."""
    table = table_of("colours told rightly (stated), percent", "", *results, "crops per second, one thread")
    last = list(results.values())[-1]
    for name in last:
        cells = (f"{100 * rows[name]['accuracy']:.1f} ({100 * rows[name]['stated']:.1f})" for rows in results.values())
        table.add_row(name, *cells, f"{last[name]['per_second']}")
    return table


def _by_z_table(results: Results) -> Table:
    """Return a row for each contestant and brightness: percent told rightly in slices of z."""
    slices = next(iter(next(iter(results.values())).values()))["by_z"]
    heights = (f"{one['z_nm']:.0f}" for one in slices)
    table = table_of("colours told rightly, percent, by z / nm", "", "photons", *heights)
    for at, rows in results.items():
        for name, row in rows.items():
            table.add_row(name, at, *(f"{100 * one['accuracy']:.0f}" for one in row["by_z"]))
    return table


def _depth_table(results: Results, channel: int, called: str) -> Table:
    """Return the error of z of one colour by brightness."""
    table = table_of(f"{called}: RMSE of z / nm (over the bound; outliers)", "", *results)
    for name in next(iter(results.values())):
        rows = [rows[name].get("z_nm") for rows in results.values()]
        table.add_row(name, *(error_cell(row[channel] if row else None) for row in rows))
    return table
