"""A right pupil foretells slices that it has not seen; a wrong one, or one that ate noise, does not."""

from dataclasses import replace

import numpy as np
import pytest

from models.beads.held_out import Fitted, held_out, zernike_fit
from models.beads.task import Answer, Task
from models.fitting.light import light
from models.fitting.retrieval import retrieve
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import Aberration, VectorialSpot

WAVES = {6: 0.1, 8: -0.05, 11: 0.04}
MODES = (5, 6, 7, 8, 11)
FOCUS = np.linspace(-600, 600, 7)
SETUP = Setup(Objective(sample_index=1.518), pupil_samples=48)
SIZE, PIXEL_NM = 21, 100.0


@pytest.fixture(scope="module")
def task() -> Task:
    spot, rng = VectorialSpot(replace(SETUP, zernike_waves=WAVES), PIXEL_NM, SIZE), np.random.default_rng(3)
    stacks = []
    for x, focus, photons in ((20.0, 30.0, 2e4), (-35.0, -50.0, 1e4)):
        images = spot(np.repeat([[x, 0, 0]], len(FOCUS), 0), Aberration(FOCUS + focus))
        stacks.append(rng.poisson(photons * images + 10).astype(float))
    return Task(SETUP, PIXEL_NM, FOCUS, tuple(stacks), (np.zeros((SIZE, SIZE)),) * 2, MODES)


@pytest.fixture(scope="module")
def answer(task: Task) -> Answer:
    found = retrieve(task.spot(0.0), task.stacks, FOCUS, MODES, WAVES)
    return Answer(found, 0.0, found, found)


def test_slices_are_foretold_within_their_noise(task: Task, answer: Answer) -> None:
    told = held_out(task, zernike_fit(answer))
    assert told.slices.tolist() == [0, 2, 3, 4, 6]
    assert told.chi2 == pytest.approx(1, abs=5 * np.sqrt(2 / (5 * 2 * SIZE**2)))


def test_the_slice_that_is_left_out_is_not_seen_by_the_fit(task: Task, answer: Answer) -> None:
    """What is wrong in one slice shows there, and in no other."""
    stacks = tuple(stack.copy() for stack in task.stacks)
    for stack in stacks:
        stack[3] = stack[3, ::-1, ::-1].T  # turned over: photons and background stay, the shape does not
    seen: list[Task] = []
    fit = zernike_fit(answer)

    def watched(part: Task) -> Fitted:
        seen.append(part)
        return fit(part)

    told = held_out(replace(task, stacks=stacks), watched, slices=7)
    assert told.slices.tolist() == list(range(7))
    np.testing.assert_array_equal(seen[3].focus_nm, np.delete(FOCUS, 3))
    np.testing.assert_array_equal(seen[3].stacks[1], np.delete(task.stacks[1], 3, axis=0))
    assert told.chi2_of_slice.argmax() == 3
    assert told.chi2_of_slice[3] > 1.5


def test_a_pupil_without_the_aberrations_foretells_badly(task: Task, answer: Answer) -> None:
    told = held_out(task, lambda part: Fitted(part.spot(0.0), answer.found.beads))
    assert told.chi2 > 2


def test_too_few_slices(task: Task, answer: Answer) -> None:
    short = replace(task, focus_nm=FOCUS[:2], stacks=tuple(stack[:2] for stack in task.stacks))
    with pytest.raises(ValueError, match="a stack of 2 slices: at least 3"):
        held_out(short, zernike_fit(answer))


def test_photons_and_background_reach_their_bound() -> None:
    """The spread over many noisy images is that of the Fisher information, and the mean is right."""
    image = VectorialSpot(SETUP, PIXEL_NM, SIZE)(np.zeros((1, 3)), Aberration(np.array([100.0])))
    images, mean = np.repeat(image, 400, 0), 3000 * image[0] + 5
    counts = np.random.default_rng(1).poisson(np.broadcast_to(mean, images.shape)).astype(float)
    photons, background = light(counts, images, np.zeros((SIZE, SIZE)))
    slopes = np.stack((image[0].ravel(), np.ones(SIZE**2)))
    sigma = np.sqrt(np.diag(np.linalg.inv(slopes / mean.ravel() @ slopes.T)))
    assert photons.mean() == pytest.approx(3000, abs=4 * sigma[0] / 20)
    assert background.mean() == pytest.approx(5, abs=4 * sigma[1] / 20)
    assert (photons.std(), background.std()) == pytest.approx(tuple(sigma), rel=0.15)


def test_light_is_never_below_nothing() -> None:
    image = VectorialSpot(SETUP, PIXEL_NM, SIZE)(np.zeros((1, 3)))
    photons, background = light(np.zeros((1, SIZE, SIZE)), image, np.ones((1, SIZE, SIZE)))
    assert photons[0] > 0
    assert background[0] > 0
