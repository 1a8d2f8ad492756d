"""`livesmlm models`: all models that ship and all systems that can be trained, from their cards."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite, nan
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from export.card import Card
from models.systems import SYSTEMS
from models.systems.about import ABOUT, About
from stream import zoo
from stream.commands.console import show_card

FRAMES = "frames"
"""Port of networks that see whole frames."""
LOCALIZING = {"jaccard": "J {:.3g}", "rmse_lateral_nm": "xy {:.3g} nm", "rmse_axial_nm": "z {:.3g} nm"}
HEADLINES: tuple[tuple[tuple[str, ...], dict[str, str]], ...] = (
    (("by_density_per_um2", "1.0"), LOCALIZING),
    (("jaccard_and_rmse_by_density_per_um2", "1.0"), LOCALIZING),
    (("by_density_per_um2", "4"), {"nmse": "error of the image {:.2g}"}),
    (("error_waves_by_rms_waves",), {"0.1": "0.1 waves: {:.2g} left"}),
    (("by_level_and_contrast", "100, 0.2"), {"ratio": "{:.2g} of the border's error"}),
    (("nothing_but_steps_and_noise", "network", "2"), {"right": "{:.0%} counted rightly"}),
    (("by_photons", "1000 photons"), {"accuracy": "{:.0%} right at 1,000 photons"}),
    (("single_by_photons", "3000"), {"right_colour": "{:.0%} right at 3,000 photons"}),
    (("by_photons", "2000"), {"median_deg": "{:.2g}° off at 2,000 photons"}),
    (("by_frames", "300"), {"predicted": "similarity {:.2g} at 300 frames"}),
    (("by_photons", "1000 photons", "z_nm"), {"over_bound": "z {:.3g} of the bound"}),
    (("by_photons", "1000 photons", "x_px"), {"over_bound": "x {:.3g} of the bound"}),
)
"""Where in a card's scores, by kind of network, what is shown of them, and how; the first that is there."""
WIDTHS = (28, 7, 12, 18, 33)
"""Columns of the table in characters, each with the space behind it; 100 with the indent."""
FOOT = (
    "J: Jaccard index, with root mean square errors, at 1 molecule per µm² and 2,000 photons. +: steps after another "
    "training. `livesmlm models NAME` shows a card: sample space, all scores; `--json` all cards."
)


@dataclass(frozen=True, slots=True)
class Row:
    """A model that ships, or a system of which none does.

    Parameters
    ----------
    name, system, task, paper : str
    megabytes : float or None
    operations : str
        Multiply-accumulate operations, for each camera pixel, crop or value.
    trained, score : str
        How; one figure, and of what.
    """

    name: str
    system: str
    task: str
    paper: str
    megabytes: float | None
    operations: str
    trained: str
    score: str


def rows() -> list[Row]:
    """Return models that ship and systems that do not, system by system."""
    cards = zoo.shipped()
    found = []
    for system in SYSTEMS:
        of_system = {name: card for name, card in cards.items() if _system(card) == system}
        about = ABOUT.get(system, About(SYSTEMS[system].kind, ""))
        found += [_shipped(name, card, about) for name, card in of_system.items()] or [_to_train(system, about)]
    return found


def _system(card: Card) -> str:
    """Return the system of a card; the oldest one is from before there were several."""
    return str(card.provenance["recipe"].get("system", "default"))


def _shipped(name: str, card: Card, about: About) -> Row:
    provenance = card.provenance
    after = "+" if provenance.get("before") else ""
    trained = f"{after}{provenance['steps']:,} steps, {provenance['device'].split(',')[0]}"
    megabytes = round(zoo.find(name).stat().st_size / 1e6, 1)
    return Row(name, _system(card), *about, megabytes, operations(card), trained, headline(card.scores))


def _to_train(system: str, about: About) -> Row:
    spot = " --psf PSF" if SYSTEMS[system].recipe.psf else ""
    return Row(system, system, *about, None, "", f"not trained: livesmlm train {system}{spot} --out DIR", "")


def operations(card: Card) -> str:
    """Return the multiply-accumulate operations of one pixel of a frame, of a crop, tile or stack, or of one value."""
    first = card.inputs[0]
    if any(port.name == FRAMES for port in card.inputs):
        return _short(card.mac_per_pixel, "px")
    if first.axes[-1].isdigit():  # tiles of a known size
        return _short(card.mac_per_pixel * int(first.axes[-2]) * int(first.axes[-1]), first.axes[0])
    if first.axes[-2:] != ("y", "x"):
        return _short(card.mac_per_pixel, first.axes[-1])
    slices = int(card.sample_space.number("slices")) if "slice" in first.axes else 1
    return _short(card.mac_per_pixel * card.multiple_px**2 * slices, first.axes[0])


def _short(count: int, each: str) -> str:
    size, unit = next((size, unit) for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")) if count >= size)
    return f"{count / size:.3g} {unit}/{each}"


def headline(scores: Mapping[str, Any]) -> str:
    """Return a few figures of a card's scores in words, those by which networks of its kind are compared."""
    for where, figures in HEADLINES:
        node: Any = scores
        for name in where:
            node = node.get(name, {})
        said = [words.format(node[name]) for name, words in figures.items() if isfinite(node.get(name, nan))]
        if said:
            return ", ".join(said)
    return ""


def models_in_terminal(name: str | None, as_json: bool) -> int:
    """Print the table, or all that the card of one model says; returns the exit code.

    Raises
    ------
    ModelError
        No model of this name ships.
    """
    if name is not None and name not in zoo.shipped():
        raise zoo.none_such(name, "NAME")
    cards = {one: card for one, card in zoo.shipped().items() if name in (None, one)}
    if as_json:
        listed = [asdict(row) | {"card": _plain(cards.get(row.name))} for row in rows() if name in (None, row.name)]
        typer.echo(json.dumps(json.loads(json.dumps(listed), parse_constant=lambda _: None), indent=1))
    elif name is not None:
        for one, card in cards.items():
            show_card(one, card)
    else:
        _show(rows())
    return 0


def _plain(card: Card | None) -> dict[str, Any] | None:
    return card.to_dict() if card else None


def _show(found: list[Row]) -> None:
    """Print a line for each system, below it its models."""
    console = Console()
    console.print(_table([("", "size", "MAC", "trained", "score")], "dim"))
    for system in dict.fromkeys(row.system for row in found):
        of_system = [row for row in found if row.system == system]
        about = of_system[0]
        console.print(f"[bold]{system}[/]  {escape(about.task)}  [dim]{escape(about.paper)}[/]", highlight=False)
        if about.megabytes is None:
            console.print(f"  [yellow]{escape(about.trained)}[/]", highlight=False)
            continue
        lines = [(row.name, f"{row.megabytes:.1f} MB", row.operations, row.trained, row.score) for row in of_system]
        console.print(_table(lines))
    console.print(f"\n[dim]{FOOT}[/]", highlight=False)


def _table(lines: Sequence[tuple[str, ...]], style: str = "") -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=2)
    for width, numeric in zip(WIDTHS, (False, True, True, False, False), strict=True):
        table.add_column(width=width - 1, justify="right" if numeric else "left", overflow="fold")
    for line in lines:
        table.add_row("", *(escape(cell) for cell in line), style=style)
    return table
