"""What a person sees in the terminal while a run goes on."""

from __future__ import annotations

from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from export.card import Card
from models.sample_space import Range
from stream.engines.probe import Found
from stream.errors import LiveSMLMError

ERR = Console(stderr=True)
GUARD_COLOURS = {"inside": "green", "drifting": "yellow", "outside": "red"}


def show_error(error: LiveSMLMError) -> None:
    """Print what is wrong, the limit and the remedy."""
    ERR.print(f"[bold red]error:[/] {escape(error.what)}", highlight=False)
    if error.limit:
        ERR.print(f"  [dim]limit:[/]  {escape(error.limit)}", highlight=False)
    if error.remedy:
        ERR.print(f"  [dim]remedy:[/] {escape(error.remedy)}", highlight=False)


class Terminal:
    """Follows a run: warnings, a progress bar, rates, latencies, the ledger. Use as a context manager."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=ERR
        )
        self._task = self._progress.add_task("opening", total=None)
        self._live = Live(self._progress, console=ERR, refresh_per_second=4, transient=False)

    def __enter__(self) -> Terminal:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
        if not ERR.is_terminal:  # the last line of a live display ends only where there is a cursor
            ERR.line()

    def say(self, text: str) -> None:
        """Print a line above the progress bar."""
        ERR.print(text, highlight=False)

    def warn(self, text: str) -> None:
        """Print a warning above the progress bar."""
        ERR.print(f"[yellow]warning:[/] {escape(text)}", highlight=False)

    def report(self, health: dict[str, Any]) -> None:
        """Show the newest `health` message."""
        done, total = health["ledger"]["analysed"], health["frames"]
        self._progress.update(self._task, description=health["state"], completed=done, total=total)
        self._live.update(Group(self._progress, _numbers(health)))


def _numbers(health: dict[str, Any]) -> Table:
    rates, latency, ring = health["frames_per_s"], health["latency_ms"], health["ring"]
    late = f"{latency['p50']:.0f} / {latency['p99']:.0f} ms" if latency else "-"
    table = Table.grid(padding=(0, 2))
    table.add_row("received", f"[bold]{rates['received']:.1f}[/] /s", "waiting", f"[bold]{health['lag_frames']}[/]")
    table.add_row(
        "analysed", f"[bold]{rates['analysed']:.1f}[/] /s", "in the ring", f"{ring['used']} of {ring['slots']}"
    )
    table.add_row("latency", f"{late} (p50 / p99)", "on disk", f"{health['spooled_frames']}")
    table.add_row("localizations", f"[bold]{health['localizations']}[/]", "", f"{health['localizations_per_s']:.0f} /s")
    if health["optics"]:
        table.add_row("optics", escape(health["optics"]))
    _add_guard(table, health)
    _add_resolution(table, health)
    return table


def _add_guard(table: Table, health: dict[str, Any]) -> None:
    """Add a row for what the guard says, and one for what was located while it said outside."""
    guard = health["guard"]
    if guard is not None:
        words = escape(f": {guard['cause']}" if guard["cause"] else "")
        table.add_row("guard", f"[bold {GUARD_COLOURS[guard['verdict']]}]{guard['verdict']}[/]{words}")
    if health["outside"]:
        table.add_row("flagged", f"[bold red]{health['outside']}[/] localizations, located outside the training")


def _add_prediction(table: Table, health: dict[str, Any]) -> None:
    said = health["prediction"]
    if said is None:
        return
    doubt = f", [yellow]{said['doubtful_tiles']} of {said['tiles']} tiles doubtful[/]" if said["doubtful_tiles"] else ""
    table.add_row(
        "prediction", f"as {said['structure']}, from {said['localizations']} localizations; not measured{doubt}"
    )


def _add_resolution(table: Table, health: dict[str, Any]) -> None:
    """Add a row for what is known of resolution and precision."""
    resolution_nm, precision_nm = health["resolution_nm"], health["precision_nm"]
    if resolution_nm is not None:
        table.add_row("resolution", f"[bold]{resolution_nm:.1f}[/] nm (Fourier ring correlation)")
    if precision_nm is not None:
        table.add_row("precision", f"[bold]{precision_nm:.1f}[/] nm (by repeated localizations, NeNA)")


def show_card(name: str, card: Card) -> None:
    """Print a model that ships: what it is for, where it may be used, how it scored."""
    table = Table.grid(padding=(0, 2))
    table.add_row("[dim]size[/]", f"{card.mac_per_pixel / 1000:.1f} kMAC per pixel")
    for field, value in card.sample_space.fields.items():
        shown = f"{value.low:g} to {value.high:g}" if isinstance(value, Range) else f"{value:g}"
        table.add_row(f"[dim]{field}[/]", shown)
    for what, value in card.scores.items():
        lines = value.items() if isinstance(value, dict) else [("", value)]
        for at, number in lines:
            table.add_row(f"[dim]{what}[/]", escape(f"{at}  {_figures(number)}".strip()))
            what = ""
    Console().print(Panel(table, title=f"[bold]{name}[/]: {card.title}", expand=False))


def _figures(value: Any) -> str:
    """Return numbers of a card, with what they are of, in one line; what is not known is left out."""
    if isinstance(value, dict):
        known = {name: inner for name, inner in value.items() if inner == inner}
        return ", ".join(
            f"{name} ({_figures(inner)})" if isinstance(inner, dict) else f"{name} {_figures(inner)}"
            for name, inner in known.items()
        )
    if isinstance(value, list | tuple):
        nested = any(isinstance(one, dict | list | tuple) for one in value)
        return f"{len(value)} rows" if nested else " / ".join(map(_figures, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def show_engines(found: list[Found]) -> None:
    """Print which engines are usable here, and why the others are not."""
    table = Table("engine", "device", "precision", "", "", box=None, pad_edge=False)
    for one in found:
        state = "[green]usable[/]" if one.usable else "[red]not usable[/]"
        table.add_row(one.engine, one.device, one.precision, state, escape(one.says))
    Console().print(table)


def show_outcome(state: str, health: dict[str, Any], folder: str) -> None:
    """Print where every frame is, and where the results are."""
    totals = health["ledger"]
    table = Table.grid(padding=(0, 2))
    for name in ("received", "spilled", "analysed", "written", "published"):
        table.add_row(name, f"[bold]{totals[name]}[/]")
    for kind in ("skipped", "missing", "refused"):
        for reason, count in totals[kind].items():
            table.add_row(f"[red]{kind}[/]", f"[bold red]{count}[/] ({escape(reason.removeprefix('refused: '))})")
    for reason, count in totals["suspicious"].items():
        table.add_row("[yellow]suspicious[/]", f"[bold yellow]{count}[/] ({escape(reason)})")
    if not totals["verifiable"]:
        table.add_row(
            "[yellow]unverifiable[/]", "the camera gives no frame counter: loss before arrival cannot be seen"
        )
    table.add_row("localizations", f"[bold]{health['localizations']}[/]")
    if health["left_out"]:
        table.add_row("left out", f"[bold]{health['left_out']}[/]" + escape(" by [filter], [crops]"))
    if (image := health["image"]) is not None:
        left_out = f", [yellow]{image['left_out']}[/] left out" if image["left_out"] else ""
        table.add_row("image layer", f"[bold]{image['seen']}[/] frames{left_out}")
    _add_prediction(table, health)
    if health["optics"]:
        table.add_row("optics", escape(health["optics"]))
    _add_guard(table, health)
    _add_resolution(table, health)
    table.add_row("results", escape(folder))
    color = {"finished": "green", "interrupted": "yellow"}.get(state, "red")
    ERR.print(Panel(table, title=f"[{color}]{state}", expand=False))
    if health["message"]:
        ERR.print(health["message"], highlight=False, markup=False)
