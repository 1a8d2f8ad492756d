"""Cells of the pupil are taken where slices that were left out are foretold better, and not where they fitted noise."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.beads.finer import finer, phase_and_amplitude
from models.beads.task import Answer, Task
from models.beads.verdict import finer_verdict
from models.fitting.retrieval import retrieve
from models.optics import zernike
from models.optics.objective import Objective
from models.optics.propagator import Mask, Setup
from models.optics.vectorial import Aberration, VectorialSpot

SETUP = Setup(Objective(sample_index=1.518), pupil_samples=32)
FOCUS, SIZE, PIXEL_NM = np.linspace(-600, 600, 7), 19, 100.0
MODES = (5, 6, 7, 8, 11)


def ripples(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.exp(0.5j * np.cos(7 * x + 3 * y))


@pytest.fixture
def solved() -> Callable[[Mask | None], tuple[Task, Answer]]:
    def solve(mask: Mask | None) -> tuple[Task, Answer]:
        spot = VectorialSpot(replace(SETUP, zernike_waves={6: 0.08}, mask=mask), PIXEL_NM, SIZE)
        images = spot(np.zeros((len(FOCUS), 3)), Aberration(FOCUS))
        stack = np.random.default_rng(4).poisson(3e4 * images + 15).astype(float)
        task = Task(SETUP, PIXEL_NM, FOCUS, (stack,), (np.zeros((SIZE, SIZE)),), MODES)
        found = retrieve(task.spot(0.0), task.stacks, FOCUS, MODES, {6: 0.1})
        return task, Answer(found, 0.0, found, found)

    return solve


def test_structure_beyond_the_modes_is_taken(solved: Callable[[Mask | None], tuple[Task, Answer]]) -> None:
    task, answer = solved(ripples)
    cells = finer(task, answer)
    assert cells.better
    assert cells.after.chi2 < 1.3 < cells.before.chi2
    assert "cell by cell the pupil foretells slices that were left out: chi-square 1." in finer_verdict(cells)
    phase, amplitude = phase_and_amplitude(task, answer, cells.pixelwise)
    pupil = task.spot(0.0).propagator.pupil
    inside = np.hypot(pupil.x, pupil.y) < 0.95
    wanted = np.angle(ripples(pupil.x, pupil.y)) + 2 * np.pi * 0.08 * zernike.evaluate(6, pupil.x, pupil.y)
    assert np.corrcoef(phase[inside], wanted[inside])[0, 1] > 0.97
    assert amplitude[inside].std() < 0.1


def test_cells_that_fitted_noise_are_not(solved: Callable[[Mask | None], tuple[Task, Answer]]) -> None:
    """There is nothing but the modes in this pupil: within the fit chi-square falls, outside of it it does not."""
    task, answer = solved(None)
    cells = finer(task, answer)
    assert cells.pixelwise.chi2 < answer.found.chi2
    assert not cells.better
    assert "the cells are not used" in finer_verdict(cells)
