"""After an export: what the file scores, and whether every engine that is usable here says of it what torch says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from export.card import Card
from stream.config import EngineSettings
from stream.engines import ENGINES, open_engine
from stream.errors import LiveSMLMError


def is_compared(card: Card) -> bool:
    """Return whether a model is a localizer with all its scores, which is compared with torch engine by engine."""
    return {"by_density_per_um2", "single_by_photons"} <= card.scores.keys()


def show(path: Path, card: Card, source: Path) -> None:
    """Print scores and parity of a localizer's file, `path`, beside the network of its source."""
    console = Console()
    console.print(f"{path}: [bold]{card.name}[/], {card.title}", soft_wrap=True)
    for density, found in card.scores["by_density_per_um2"].items():
        jaccard, lateral_nm = found["jaccard"], found["rmse_lateral_nm"]
        console.print(f"{density} molecules per um^2: Jaccard {jaccard:.3f}, lateral error {lateral_nm:.1f} nm")
    for photons, found in card.scores["single_by_photons"].items():
        over = ", ".join(f"{value:.2f}" for value in found["over_bound"])
        console.print(f"{float(photons):.0f} photo-electrons: error over the Cramer-Rao bound {over}")
    for photons, axes in card.scores.get("over_bound_beside_float32", {}).items():
        more = ", ".join(f"{100 * (ratio - 1):+.1f} %" for ratio in axes)
        console.print(f"{float(photons):.0f} photo-electrons: {more} beside float32")
    for line in _unfit(path) if card.rows_per_block else []:
        console.print(f"[yellow]TensorRT cannot read it:[/] {escape(line)}", soft_wrap=True)
    console.print("\nlargest difference from torch in float64:")
    table = Table("engine", "rows", "only one has", "x, y", "photons", "sigma of x, y", box=None, pad_edge=False)
    left_out = []
    for engine, cells in _engines(path, source):
        if isinstance(cells, str):
            left_out.append(f"[dim]not run: {escape(engine)}: {escape(cells)}[/]")
        else:
            table.add_row(escape(engine), *cells)
    console.print(table)
    for line in left_out:
        console.print(line, soft_wrap=True)


def _unfit(path: Path) -> list[str]:
    import onnx

    from export.tensorrt_limits import unfit

    return unfit(onnx.load(path))


def _engines(path: Path, source: Path) -> Iterator[tuple[str, tuple[str, ...] | str]]:
    """Yield each engine with its cells, or with why it did not run."""
    import onnx

    from export.parity import Reference
    from export.trained import distance_of, trained_in

    reference = Reference.of(replace(trained_in(source), distance=distance_of(onnx.load(path))))
    for name, kind in ENGINES.items():
        for device, precision in kind.choices:
            settings = EngineSettings.model_validate({"name": name, "device": device, "precision": precision})
            try:
                with closing(open_engine(path, settings)) as engine:
                    yield engine.device, in_words(_found(engine, reference))
            except LiveSMLMError as error:
                yield f"{name}, {device}", error.what


def _found(engine: Any, reference: Any) -> dict[str, Any]:
    from export.exported import Called

    run = Called(engine.run, engine.card, reference.module.network)
    found: dict[str, Any] = reference.beside(run, engine.card.threshold)
    return found


def in_words(found: dict[str, Any]) -> tuple[str, ...]:
    """Return what `Reference.beside` found, as cells of a table."""
    largest = found["largest_difference"]
    place, sigma = (max(largest[f"{kind}{axis}_px"] for axis in "xy") for kind in ("", "sigma_"))
    cells = f"{place:.0e} px", f"{largest['photons']:.0e}", f"{sigma:.0e} px"
    return str(found["rows"]), str(found["only_one_has"]), *cells
