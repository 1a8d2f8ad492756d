"""Deep-STORM learns; its loss is that of the paper; what it says of a place does not depend on places far away."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve

from models.images.space import image_space
from models.sample_space import LOCALIZER_2D, Range
from models.systems import SYSTEMS
from models.systems.build import subject
from models.systems.deep_storm import NETWORKS, SCALE, DeepStorm, blurred

SPACE = image_space(LOCALIZER_2D).changed(
    photons=Range(5000, 5000), density_per_um2=Range(0.5, 1), em_share=0.0, empty_share=0.0
)


def test_the_light_network_learns() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    system = subject(replace(SYSTEMS["deep-storm-light"].recipe, batch=2, patch_px=16), SPACE, None, "cpu")
    network, samples, errors = system.network(), system.draw(1, 0), []
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(60):
        found = system.losses(network, samples)
        optimizer.zero_grad()
        found.total.backward()
        optimizer.step()
        errors.append(float(found.parts["error"]))
    assert errors[-1] < 0.5 * errors[0]


def test_the_published_network_has_the_weights_of_the_paper() -> None:
    convolutions = [layer for layer in DeepStorm().modules() if isinstance(layer, torch.nn.Conv2d)]
    weights = sum(layer.weight.numel() for layer in convolutions)
    read_noise = 32 * 9  # the second channel of the first convolution, which the paper does not have
    assert weights - read_noise == 1_364_288
    assert not any(layer.bias is not None for layer in convolutions)


def test_the_blur_is_a_gaussian_of_seven_pixels() -> None:
    images = torch.rand(2, 15, 22, dtype=torch.float64)
    place = np.arange(-3, 4)
    row = np.exp(-(place**2) / 2)
    kernel = np.outer(row, row) / row.sum() ** 2
    for image, soft in zip(images.numpy(), blurred(images).numpy(), strict=True):
        np.testing.assert_allclose(soft, convolve(image, kernel, mode="constant"), atol=1e-12)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_loss_of_the_truth_is_its_sparsity_alone(name: str) -> None:
    recipe = replace(SYSTEMS[name].recipe, batch=3, patch_px=16)
    system = subject(recipe, SPACE, None, "cpu")
    samples = system.draw(1, 0)

    class Knowing(torch.nn.Module):
        sparsity = NETWORKS[name].sparsity

        def forward(self, counts: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
            return SCALE * samples.spikes

    found = system.losses(Knowing(), samples)
    assert float(found.parts["error"]) == 0
    assert float(found.total) == pytest.approx(NETWORKS[name].sparsity * SCALE * float(samples.spikes.mean()))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_hot_pixel_changes_nothing_far_away(name: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name]().eval()
    side_px = 64 if network.multiple_px > 1 else 12  # the published one sees three pixels far
    counts, variance = torch.rand(1, side_px, side_px) * 50, torch.ones(side_px, side_px)
    hot = counts.clone()
    hot[0, 1, 1] = 1e5
    with torch.no_grad():
        image, changed = network.molecules(counts, variance), network.molecules(hot, variance)
    far = 8 * side_px // 2
    assert image.shape == (1, 2 * far, 2 * far)
    assert (image >= 0).all()
    torch.testing.assert_close(image[:, far:, far:], changed[:, far:, far:], rtol=0, atol=0)
    assert not torch.equal(image, changed)
