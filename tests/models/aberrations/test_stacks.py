"""Simulated stacks carry the wavefront that they say; the position is Noll 2 to 4 of the same vector."""

import numpy as np
import pytest
import torch

from models.aberrations.space import PHASE, objective_of, with_objective
from models.aberrations.stacks import StackSimulator
from models.aberrations.wavefront import NOLL, Position, mapping, vector
from models.fitting.retrieval import retrieve
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.optics.vectorial import VectorialSpot
from models.sample_space import Range

GIVEN = {"rms_waves": 0.15, "photons": 1e5, "background_e": 20.0, "blur_nm": 0.0, "read_noise_e": 0.0}
SPACE = with_objective(PHASE, Objective(sample_index=1.518)).changed(**{n: Range(v, v) for n, v in GIVEN.items()})


def test_a_fit_of_a_stack_finds_the_vector_that_it_was_drawn_with() -> None:
    simulator = StackSimulator(SPACE, 41, 1)
    stack = simulator.draw(1, 1)
    spot = VectorialSpot(Setup(objective_of(SPACE)), 100, 41)
    found = retrieve(spot, [stack.counts[0].numpy().astype(float)], simulator.focus_nm)
    bead, waves = found.beads[0], vector(found.zernike_waves)
    waves[:3] = simulator.position.waves(*(np.array([v]) for v in (bead.x_nm, bead.y_nm, bead.focus_nm)))[0]
    truth = stack.waves[0].numpy()
    assert found.explained
    assert np.linalg.norm(waves - truth) < 3 * found.error_waves
    assert np.linalg.norm(truth[3:]) == pytest.approx(0.15, rel=1e-5)


def test_the_same_seed_and_step_give_the_same_stacks() -> None:
    a, b = (StackSimulator(SPACE, 21, 2).draw(5, 7) for _ in range(2))
    assert torch.equal(a.counts, b.counts)
    assert not torch.equal(a.counts, StackSimulator(SPACE, 21, 2).draw(5, 8).counts)


def test_modes_that_are_left_out_are_zero() -> None:
    waves = StackSimulator(SPACE, 21, 3, modes=(5, 6)).draw(1, 1).waves
    others = [i for i, j in enumerate(NOLL) if j > 6]
    assert not waves[:, others].any()
    assert waves[:, [NOLL.index(5), NOLL.index(6)]].all()


def test_position_and_waves_are_each_others_inverse() -> None:
    position = Position.of(Objective())
    waves = np.concatenate((position.waves(np.array([30.0]), np.array([-70.0]), np.array([120.0]))[0], np.zeros(24)))
    assert position.nm(waves) == pytest.approx((30, -70, 120))


def test_a_micrometre_of_defocus_is_0_38_waves_of_noll_4() -> None:
    """Known of NA 1.4 in oil."""
    assert Position.of(Objective()).waves(*np.zeros((2, 1)), np.array([1000.0]))[0, 2] == pytest.approx(-0.38, abs=0.01)


def test_vector_and_mapping_leave_out_what_is_not_theirs() -> None:
    waves = vector({1: 9.0, 4: 0.3, 6: 0.1, 30: 0.2})
    assert waves[NOLL.index(6)] == 0.1
    assert mapping(waves) == {j: (0.1 if j == 6 else 0.0) for j in range(5, 29)}
