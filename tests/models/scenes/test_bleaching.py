"""Bleaching traces: the steps in the trace are those in the truth."""

import numpy as np
import pytest

from models.scenes.bleaching import TraceSettings, traces

CLEAN = TraceSettings(frames=400, spread=0.0, bleach_frames=100, background=0, read_noise_e=0)


def test_every_level_is_a_whole_number_of_fluorophores() -> None:
    made = traces(np.arange(7), CLEAN, np.random.default_rng(1))
    for trace, count, steps in zip(made.intensity, made.subunits, made.steps, strict=True):
        happened = steps[np.isfinite(steps)]
        assert len(happened) <= count
        for frame in (0, 50, 200, 399):
            alive = count - (happened < frame).sum()
            partial = ((happened >= frame) & (happened < frame + 1)).any()
            if not partial:
                assert trace[frame] == pytest.approx(500 * alive, abs=5 * np.sqrt(500 * alive + 1))


def test_the_mean_life_is_the_one_put_in() -> None:
    made = traces(np.full(2000, 1), TraceSettings(frames=3000, bleach_frames=200), np.random.default_rng(2))
    assert made.steps[:, 0].mean() == pytest.approx(200, rel=0.08)
    assert np.isinf(made.steps[:, 1:]).all()


def test_noise_is_that_of_light_and_of_reading() -> None:
    settings = TraceSettings(frames=2000, background=300, read_noise_e=10)
    dark = traces(np.zeros(20, int), settings, np.random.default_rng(3))
    assert dark.intensity.mean() == pytest.approx(0, abs=1)
    assert dark.intensity.var() == pytest.approx(300 + 100, rel=0.05)


@pytest.mark.parametrize("count", [-1, 7])
def test_more_than_six_are_not_told_apart(count: int) -> None:
    with pytest.raises(ValueError, match="must be from 0 to 6"):
        traces(np.array([count]), CLEAN, np.random.default_rng(1))
