"""What probabilities of numbers of steps say: of one trace, and of all molecules together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
MOST_ROUNDS, STILL = 500, 1e-6


def counts(probability: NDArray[np.floating]) -> tuple[NDArray[np.int64], Float64]:
    """Return the most probable number of steps of each trace and its probability, (n,) each.

    Parameters
    ----------
    probability : (n, classes) float
        Of 0, 1, 2, ... steps; the last class stands for that many or more.
    """
    steps = np.argmax(probability, axis=1)
    return steps, np.take_along_axis(np.asarray(probability, float), steps[:, None], axis=1)[:, 0]


def population(probability: NDArray[np.floating]) -> Float64:
    """Return the share of molecules with each number of steps, (classes,), by maximum likelihood.

    The network learned from equal shares of all numbers. What it says of a sample with other shares is put right by
    expectation maximisation (Saerens, Latinne & Decaestecker, Neural Comput. 14, 21, 2002, equation 2.5). Counting the
    most probable numbers instead would smear the histogram by the network's own errors.

    Parameters
    ----------
    probability : (n, classes) float
        As `counts`; n may be 0.
    """
    p = np.asarray(probability, float)
    share = np.full(p.shape[1], 1 / p.shape[1])
    if not len(p):
        return share
    for _ in range(MOST_ROUNDS):
        weighted = p * share
        new = (weighted / weighted.sum(1, keepdims=True)).mean(0)
        moved, share = np.abs(new - share).max(), new
        if moved < STILL:
            break
    return share
