"""How often steps are counted rightly, by the ratio of signal to noise; how far stated probabilities can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bleaching.samples import BleachingTraces, TraceSimulator
from models.bleaching.step_finder import falls
from models.sample_space import Range, SampleSpace

Float32 = NDArray[np.float32]
Predict = Callable[[Float32], Float32]
"""Traces (n, t) -> probabilities of the numbers of steps (n, classes)."""
Count = Callable[[Float32], NDArray[np.int64]]
"""Traces (n, t) -> numbers of steps (n,)."""
SNRS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
FRAMES, PHOTONS = 400.0, 2000.0
PUBLISHED = 4
"""As many steps as the paper tells."""
PLAIN = {"blinking_share": 0.0, "neighbour_share": 0.0, "lasting_share": 0.0}
"""Nothing but steps and noise, as in the paper."""
BATCH, BINS, SEED = 100, 10, 91_000
"""Beyond the seeds of trainings."""


def held_out(space: SampleSpace, count: int, seed: int = SEED) -> list[BleachingTraces]:
    """Return so many traces, in batches."""
    simulator = TraceSimulator(space, min(BATCH, count))
    return [simulator.draw(seed, batch) for batch in range(-(-count // BATCH))]


def at_snr(space: SampleSpace, snr: float, count: int, plain: bool) -> list[BleachingTraces]:
    """Return traces of 400 frames and 2,000 photo-electrons per fluorophore; `plain`: nothing but steps and noise."""
    given = {"frames": FRAMES, "photons": PHOTONS, "snr": snr}
    fixed: dict[str, Range | float] = {name: Range(value, value) for name, value in given.items()}
    if plain:
        fixed |= PLAIN | {name: Range(0, 0) for name in ("flicker", "background_error")}
    return held_out(space.changed(**fixed), count)


def accuracy(told: NDArray[np.int64], true: NDArray[np.int64]) -> dict[str, float]:
    """Return the shares of traces told rightly: of all, of those with 0 to 4 steps, within one; and the mean error."""
    error, few = told - true, true <= PUBLISHED
    return {
        "right": float((error == 0).mean()),
        "right_0_to_4": float((error[few] == 0).mean()),
        "within_one": float((np.abs(error) <= 1).mean()),
        "bias": float(error.mean()),
    }


def by_snr(
    counters: Mapping[str, Count], space: SampleSpace, count: int, plain: bool
) -> dict[str, dict[str, dict[str, float]]]:
    """Return for each counter and ratio of signal to noise what `accuracy` says."""
    most = int(space.number("most_steps"))
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in counters}
    for snr in SNRS:
        traces = at_snr(space, snr, count, plain)
        true = np.concatenate([part.steps for part in traces])
        for name, counter in counters.items():
            told = np.concatenate([counter(part.intensity) for part in traces])
            found[name][f"{snr:g}"] = accuracy(np.minimum(told, most), true)
    return found


def network_counter(predict: Predict) -> Count:
    """Return a network as a counter: the most probable number."""
    return lambda traces: np.argmax(predict(traces), axis=1)


def classical_counter(traces: Float32) -> NDArray[np.int64]:
    """Count by the step finder of Kalafut & Visscher: steps down less steps up."""
    return np.array([falls(trace) for trace in traces], np.int64)


def calibration(predict: Predict, space: SampleSpace, count: int) -> dict[str, Any]:
    """Return how often the number is right where its stated probability is p, over the whole sample space.

    `error` is the mean difference of both, weighted by the traces of each bin (Naeini, Cooper & Hauskrecht, AAAI 2015).
    """
    parts = held_out(space, count, SEED + 1)
    probability = np.concatenate([predict(part.intensity) for part in parts])
    right = np.argmax(probability, 1) == np.concatenate([part.steps for part in parts])
    stated = probability.max(1)
    bins = np.minimum((stated * BINS).astype(int), BINS - 1)
    rows = [(stated[bins == b].mean(), right[bins == b].mean(), int((bins == b).sum())) for b in np.unique(bins)]
    error = sum(abs(p - share) * number for p, share, number in rows) / len(right)
    return {
        "right": float(right.mean()), "error": float(error),
        "stated_right_traces": [[round(float(p), 3), round(float(share), 3), n] for p, share, n in rows],
    }  # fmt: skip
