"""Samples: spikes lie where the light is, the same step gives the same frames, what is too dim is no spike."""

import numpy as np
import pytest
import torch

from models.images.samples import PictureSimulator
from models.images.space import UPSAMPLING, image_space
from models.sample_space import LOCALIZER_2D, LOCALIZER_3D, Range
from models.training_spots import training_spots

PLAIN = {
    "photons": Range(5000, 5000), "background_e": Range(1, 1), "background_contrast": Range(0, 0), "em_share": 0.0,
    "hot_share": 0.0, "empty_share": 0.0, "read_noise_e": Range(0.5, 0.5), "on_time_frames": Range(1e6, 1e6),
}  # fmt: skip


def simulator(batch: int = 8, **changes: Range | float) -> PictureSimulator:
    space = image_space(LOCALIZER_2D).changed(**{**PLAIN, **changes})
    return PictureSimulator(training_spots(None, space), space, batch, 32)


def test_the_same_step_gives_the_same_frames() -> None:
    one, again, other = (simulator().draw(1, step) for step in (5, 5, 6))
    assert torch.equal(one.counts, again.counts)
    assert torch.equal(one.spikes, again.spikes)
    assert not torch.equal(one.counts, other.counts)


@pytest.mark.parametrize("along", [0.0, 1.0])
def test_spikes_lie_where_the_light_is(along: float) -> None:
    samples = simulator(density_per_um2=Range(0.3, 0.3), along_share=along).draw(2, 0)
    frames, side = samples.counts.numpy(), 32
    camera = samples.spikes.numpy().reshape(len(frames), side, UPSAMPLING, side, UPSAMPLING).sum(axis=(2, 4))
    for frame, spikes in zip(frames, camera, strict=True):
        inner = np.argwhere(spikes[3:-3, 3:-3] > 0) + 3
        for row, column in inner:
            assert frame[row - 1 : row + 2, column - 1 : column + 2].max() > 50


def test_density_is_what_was_asked_for() -> None:
    for along in (0.0, 1.0):
        asked = simulator(32, density_per_um2=Range(2, 2), along_share=along)
        samples = [asked.draw(seed, 0).spikes for seed in range(4)]
        pixel_um = image_space(LOCALIZER_2D).scale("pixel_size_nm")[0] / 1000
        expected = 2 * (32 * pixel_um) ** 2
        assert float(torch.stack(samples).sum((2, 3)).mean()) == pytest.approx(expected, rel=0.25)


def test_what_is_too_dim_is_no_spike() -> None:
    assert float(simulator(photons=Range(5000, 1e6), density_per_um2=Range(1, 1)).draw(1, 0).spikes.sum()) > 0
    short = simulator(photons=Range(5000, 5000), on_time_frames=Range(1e-4, 1e-4), density_per_um2=Range(1e-3, 1e-3))
    assert float(short.draw(1, 0).spikes.sum()) == 0


def test_in_depth_the_width_is_that_of_the_spot() -> None:
    assert "psf_sigma_px" not in image_space(LOCALIZER_3D).fields
