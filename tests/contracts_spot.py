"""What every spot must do. A spot's test is a small subclass with the fixtures `spot` and `positions_nm`."""

import numpy as np
import pytest
import torch

from models.optics.spot import DifferentiableSpot

STEP_NM = 0.05


class SpotContract:
    """Subclasses give the fixtures.

    spot : DifferentiableSpot
    positions_nm : (n, 3) float64, at least a pixel and a half inside the limits
    """

    gradient_error = 1e-6
    """Of the analytic derivatives, against finite differences, as a share of the largest."""

    def test_windows_have_the_size_that_is_told(self, spot: DifferentiableSpot, positions_nm: np.ndarray) -> None:
        assert spot(positions_nm).shape[-2:] == (spot.size_px, spot.size_px)
        assert spot.size_px % 2 == 1

    def test_light_is_neither_negative_nor_more_than_there_is(self, spot, positions_nm) -> None:
        images = spot(positions_nm)
        assert images.min() > -1e-4 * images.max()
        assert (images.reshape(len(images), -1).sum(1) <= 1 + 1e-6).all()

    def test_derivatives_are_those_of_finite_differences(self, spot, positions_nm) -> None:
        images, slopes = spot.with_gradient(positions_nm)
        np.testing.assert_allclose(images, spot(positions_nm), atol=1e-12)
        for axis in range(3):
            step = STEP_NM * np.eye(3)[axis]
            numerical = (spot(positions_nm + step) - spot(positions_nm - step)) / (2 * STEP_NM)
            np.testing.assert_allclose(slopes[:, axis], numerical, atol=self.gradient_error * np.abs(slopes).max())

    def test_numpy_and_torch_agree(self, spot, positions_nm) -> None:
        for here, there in zip(
            spot.with_gradient(positions_nm), spot.with_gradient(torch.from_numpy(positions_nm)), strict=True
        ):
            assert isinstance(there, torch.Tensor)
            np.testing.assert_allclose(there.numpy(), here, atol=1e-10 * np.abs(here).max())

    def test_torch_differentiates_it(self, spot, positions_nm) -> None:
        positions = torch.from_numpy(positions_nm).requires_grad_()
        torch.sum(spot(positions) ** 2).backward()
        images, slopes = spot.with_gradient(positions_nm)
        summed = 2 * (images[:, None] * slopes).reshape(len(images), 3, -1).sum(-1)
        np.testing.assert_allclose(positions.grad.numpy(), summed, atol=1e-6 * np.abs(summed).max())

    @pytest.mark.parametrize("library", ["numpy", "torch"])
    def test_single_precision_stays_single_and_is_enough(self, spot, positions_nm, library: str) -> None:
        single = positions_nm.astype(np.float32)
        image = spot(single if library == "numpy" else torch.from_numpy(single))
        assert str(image.dtype).endswith("float32")
        exact = spot(positions_nm)
        np.testing.assert_allclose(np.asarray(image), exact, atol=2e-5 * exact.max())

    def test_a_whole_pixel_moves_the_image(self, spot, positions_nm) -> None:
        here, there = spot(positions_nm), spot(positions_nm + np.array([spot.pixel_size_nm, 0, 0]))
        np.testing.assert_allclose(there[..., 1:], here[..., :-1], atol=1e-9)
        there = spot(positions_nm - np.array([0, spot.pixel_size_nm, 0]))
        np.testing.assert_allclose(there[..., :-1, :], here[..., 1:, :], atol=1e-9)

    def test_no_emitter_gives_no_image(self, spot) -> None:
        assert len(spot(np.empty((0, 3)))) == 0
