"""`livesmlm evaluate` of models that count bleaching steps: by signal to noise, beside a step finder."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from models.bleaching.scoring import (
    FRAMES,
    PHOTONS,
    SNRS,
    Count,
    Float32,
    Predict,
    by_snr,
    calibration,
    classical_counter,
    network_counter,
)
from stream.bleaching.opening import step_counter
from stream.commands.evaluation_file import keep
from stream.engine import Engine
from stream.errors import InputError

CLASSICAL = "Kalafut-Visscher"
WHAT = {"right": "rightly counted", "right_0_to_4": "of those with 0 to 4 steps", "within_one": "within one step"}
Results = dict[str, Any]


def predictor(engine: Engine) -> Predict:
    """Return a model that counts steps as a function of arrays."""

    def predict(traces: Float32) -> Float32:
        return np.asarray(engine.run({"trace": traces})["probability"], np.float32)

    return predict


def evaluate_traces(models: list[str], count: int) -> Results:
    """Return what each model and the step finder score on the same traces, `count` for each ratio.

    Raises
    ------
    ModelError
        A model counts no steps.
    InputError
        They do not tell the same numbers of steps.
    """
    with ExitStack() as stack:
        engines = {name: stack.enter_context(closing(step_counter(name, "MODEL"))) for name in models}
        spaces = [engine.card.sample_space for engine in engines.values()]
        if len({space.number("most_steps") for space in spaces}) > 1:
            raise InputError(f"{', '.join(models)} tell different numbers of steps", remedy="evaluate them one by one")
        predict = {engine.card.name: predictor(engine) for engine in engines.values()}
        counters: dict[str, Count] = {name: network_counter(one) for name, one in predict.items()}
        counters[CLASSICAL] = classical_counter
        return {
            "nothing_but_steps_and_noise": by_snr(counters, spaces[0], count, plain=True),
            "whole_sample_space": by_snr(counters, spaces[0], count, plain=False),
            "calibration": {name: calibration(one, spaces[0], count) for name, one in predict.items()},
        }


def traces_in_terminal(models: list[str], count: int, out: Path | None, as_json: bool) -> int:
    """Print what was found, and write it as JSON; returns the exit code."""
    results = evaluate_traces(models, count)
    text = keep(results, out)
    if as_json:
        Console().print_json(text)
        return 0
    console = Console()
    for of, title in {"nothing_but_steps_and_noise": "steps and noise alone", "whole_sample_space": "all"}.items():
        console.print(_by_snr(results[of], f"{title}: {FRAMES:g} frames, {PHOTONS:g} photo-electrons"))
        console.print()
    for name, found in results["calibration"].items():
        console.print(
            f"{name}: {100 * found['right']:.0f} % right over the whole sample space; what it states is off by "
            f"{100 * found['error']:.1f} % on average", highlight=False,
        )  # fmt: skip
    return 0


def _by_snr(found: Mapping[str, Mapping[str, Mapping[str, float]]], title: str) -> Table:
    """Return a row for each counter and figure, a column for each ratio of a step to the noise."""
    table = Table(title=f"{title}; a step over the noise", title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("")
    for snr in SNRS:
        table.add_column(f"{snr:g}", justify="right")
    for figure, words in WHAT.items():
        for name, rows in found.items():
            table.add_row(f"{name}, {words}", *(f"{rows[f'{snr:g}'][figure]:.2f}" for snr in SNRS))
    return table
