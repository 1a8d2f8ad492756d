"""What `livesmlm evaluate` of networks for crops has in common: models as functions, their rate, tables of figures."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from stream.config import EngineSettings
from stream.engine import Engine

if TYPE_CHECKING:
    from models.crops.scoring import Answer, Float32, Float64

ONE_THREAD = EngineSettings(threads=1)


def answering(engine: Engine) -> Answer:
    """Return a model as a function of arrays."""

    def answer(counts: Float32, variance: Float32) -> dict[str, Float64]:
        table = engine.run({"counts": counts, "variance": variance})["table"]
        return dict(zip(engine.card.columns, np.asarray(table, np.float64).T, strict=True))

    return answer


def per_second(answer: Answer, counts: Float32, variance: Float32) -> int:
    """Return how many crops a second are answered for on one thread."""
    began = time.perf_counter()
    answer(counts, variance)
    return round(len(counts) / (time.perf_counter() - began))


def table_of(title: str, *heads: str) -> Table:
    """Return an empty table: names to the left, figures to the right."""
    table = Table(title=title, title_justify="left", box=None)
    for head in heads:
        table.add_column(head, justify="right" if head else "left")
    return table


def error_cell(figures: dict[str, Any] | None) -> str:
    """Return an error, how many times the bound it is, and the share of outliers; as `scores_of` tells them."""
    if figures is None or "rmse" not in figures:
        return "-"
    ratio = f" ({figures['over_bound']:.2f}; {100 * figures['outliers']:.0f} %)" if "over_bound" in figures else ""
    return f"{figures['rmse']:.3g}{ratio}"
