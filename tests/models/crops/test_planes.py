"""Two planes differ in focus, bounds come from a table where they are slow, and many crops bound a pupil better."""

import numpy as np
import pytest
import torch

from models.crops.bound_table import BoundTable
from models.crops.bounds import crop_bounds
from models.crops.planes import PlaneSpots
from models.crops.samples import EmitterSimulator
from models.crops.space import BIPLANE, SHIFT, mode_name
from models.crops.wavefront_scores import wavefront_scores
from models.optics.objective import Objective
from models.sample_space import Range, SampleSpace

MODES, SIDE = (5, 6), 12
KEPT = {name: value for name, value in BIPLANE.fields.items() if not name.startswith("noll_")}
SPACE = SampleSpace(KEPT | {mode_name(j): Range(-0.05, 0.05) for j in MODES} | dict.fromkeys(SHIFT, Range(-1, 1)))
ONE = torch.tensor([[30.0, -20, 100]], dtype=torch.float64)
FURTHER = torch.tensor([[0.03, -0.02, 0.5, -1.0]], dtype=torch.float64)


def planes() -> PlaneSpots:
    return PlaneSpots(Objective(), 580, 650, 100, SIDE, MODES)


def test_each_plane_has_half_of_the_light_its_own_focus_and_its_own_place() -> None:
    ends = torch.tensor([[0.0, 0, -290], [0, 0, 290]], dtype=torch.float64)
    light = planes().light(ends, torch.zeros(2, 4, dtype=torch.float64))
    assert light.shape == (2, 2, SIDE, SIDE)
    sharp = light.amax(dim=(2, 3))
    assert (sharp[0] > 1.5 * sharp[0].flip(0)).tolist() == [True, False]
    assert (sharp[1] > 1.5 * sharp[1].flip(0)).tolist() == [False, True]
    assert float(light.sum((2, 3)).max()) < 0.5
    moved = planes().light(ends, torch.tensor([[0.0, 0, 1, 0]] * 2, dtype=torch.float64))
    torch.testing.assert_close(moved[:, 0], light[:, 0])
    torch.testing.assert_close(moved[:, 1, :, 1:], light[:, 1, :, :-1], atol=1e-5, rtol=1e-2)


def test_slopes_are_differences_of_the_light() -> None:
    _, slopes = planes().with_slopes(ONE, FURTHER)
    both = torch.cat((ONE, FURTHER), dim=1)
    for k, size in enumerate((0.1, 0.1, 0.1, 1e-4, 1e-4)):
        step = size * torch.eye(7, dtype=torch.float64)[k]
        ends = [planes().light(at[:, :3], at[:, 3:]) for at in (both - step, both + step)]
        most = float(slopes[:, k].abs().max())
        torch.testing.assert_close(slopes[:, k], (ends[1] - ends[0]) / (2 * size), atol=1e-4 * most, rtol=0)


def test_every_crop_has_its_own_pupil_and_each_plane_its_own_noise() -> None:
    crops = EmitterSimulator(planes(), SPACE, 4, SIDE).draw(1, 0)
    assert crops.counts.shape == crops.variance.shape == (4, 2, SIDE, SIDE)
    assert all((crops.truth[0] != other).all() for other in crops.truth[1:])
    assert not crops.variance[0, 0].equal(crops.variance[0, 1])


def test_the_table_gives_bounds_of_the_right_size() -> None:
    crops = EmitterSimulator(planes(), SPACE.changed(em_share=0.0, hot_share=0.0), 24, SIDE).draw(1, 0)
    exact = crop_bounds(planes(), crops, further_known=False)
    table = BoundTable(planes(), SPACE, pupils=3).of(crops.truth, crops.variance)
    assert table.shape == exact.shape
    assert bool(torch.isinf(table[:, -2:]).all())
    ratio = (table / exact)[:, :7]
    assert float(ratio.median(0).values.min()) > 0.5
    assert float(ratio.median(0).values.max()) < 2


def test_pools_are_beside_bounds_that_fall() -> None:
    def nothing(counts: np.ndarray, variance: np.ndarray) -> dict[str, np.ndarray]:
        names, prior = [mode_name(j) for j in MODES], 0.05 / 3**0.5
        zero = np.zeros(len(counts))
        return dict.fromkeys(names, zero) | {f"sigma_{name}": zero + prior for name in names}

    found, errors = wavefront_scores(nothing, planes(), SPACE, 2, 10)
    assert errors.shape == (2,)
    for row in found.values():
        assert list(row) == ["1", "10"]
        assert row["1"]["rms_waves"] == pytest.approx(row["10"]["rms_waves"], rel=1e-3)
        assert row["10"]["bound_waves"] < row["1"]["bound_waves"] < 0.05
