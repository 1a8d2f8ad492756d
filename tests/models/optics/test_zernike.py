"""Zernike polynomials: orthonormality, parity, rotation, gradients, and the names of other orders."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.optics import zernike

INDICES = range(1, 67)
DISC = np.random.default_rng(1).uniform(-0.7, 0.7, (2, 40))


@pytest.fixture(scope="module")
def disc() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes and weights that integrate polynomials of degree 40 over the disc exactly."""
    s, weight = np.polynomial.legendre.leggauss(24)
    radius, angle = np.sqrt((s + 1) / 2), 2 * np.pi * np.arange(48) / 48
    x, y = np.outer(radius, np.cos(angle)), np.outer(radius, np.sin(angle))
    return x, y, np.outer(weight / 2, np.full(48, 1 / 48))


def test_they_are_orthonormal_on_the_unit_disc(disc) -> None:
    x, y, weight = disc
    values = zernike.basis(tuple(INDICES), x, y).reshape(len(INDICES), -1)
    np.testing.assert_allclose(values * weight.ravel() @ values.T, np.eye(len(INDICES)), atol=1e-11)


@pytest.mark.parametrize("j", INDICES)
def test_parity(j: int) -> None:
    x, y = DISC
    np.testing.assert_allclose(
        zernike.evaluate(j, -x, -y), (-1) ** zernike.noll_to_nm(j)[0] * zernike.evaluate(j, x, y)
    )


@pytest.mark.parametrize("j", INDICES)
def test_a_turned_pupil_mixes_cosine_and_sine(j: int) -> None:
    (x, y), turn, (n, m) = DISC, 0.7, zernike.noll_to_nm(j)
    turned = zernike.evaluate(j, x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn))
    partner = zernike.evaluate(zernike.nm_to_noll(n, -m), x, y)
    size = abs(m) * turn
    mixed = np.cos(size) * zernike.evaluate(j, x, y) - np.sign(m) * np.sin(size) * partner
    np.testing.assert_allclose(turned, mixed, atol=1e-11)


@pytest.mark.parametrize("j", INDICES)
def test_gradients_are_those_of_finite_differences(j: int) -> None:
    (x, y), step = DISC, 1e-6
    by_x, by_y = zernike.gradient(j, x, y)
    numerical_x = (zernike.evaluate(j, x + step, y) - zernike.evaluate(j, x - step, y)) / (2 * step)
    numerical_y = (zernike.evaluate(j, x, y + step) - zernike.evaluate(j, x, y - step)) / (2 * step)
    np.testing.assert_allclose(by_x, numerical_x, atol=1e-6)
    np.testing.assert_allclose(by_y, numerical_y, atol=1e-6)


def test_closed_forms_in_use() -> None:
    x, y = DISC
    r2 = x**2 + y**2
    for j, form in {
        2: 2 * x, 3: 2 * y, 4: np.sqrt(3) * (2 * r2 - 1), 5: np.sqrt(6) * 2 * x * y, 6: np.sqrt(6) * (x**2 - y**2),
        7: np.sqrt(8) * (3 * r2 - 2) * y, 8: np.sqrt(8) * (3 * r2 - 2) * x, 11: np.sqrt(5) * (6 * r2**2 - 6 * r2 + 1),
    }.items():  # fmt: skip
        np.testing.assert_allclose(zernike.evaluate(j, x, y), form, atol=1e-12)


def test_other_orders_by_their_tables() -> None:
    """Noll 1976, ANSI Z80.28 and the fringe table of Wyant & Creath 1992."""
    names = {1: (0, 1), 2: (2, 2), 3: (1, 3), 4: (4, 4), 5: (3, 6), 6: (5, 5), 7: (7, 8), 8: (8, 7), 9: (6, 11),
             10: (9, 10), 11: (12, 9), 12: (13, 12), 13: (11, 13), 14: (14, 17), 15: (10, 18),
             22: (24, 16)}  # fmt: skip
    assert {j: (zernike.noll_to_osa(j), zernike.noll_to_fringe(j)) for j in names} == names


@given(st.integers(1, 2000))
def test_names_come_back(j: int) -> None:
    assert zernike.nm_to_noll(*zernike.noll_to_nm(j)) == j
    assert zernike.osa_to_noll(zernike.noll_to_osa(j)) == j
    assert zernike.fringe_to_noll(zernike.noll_to_fringe(j)) == j


def test_there_is_no_such_polynomial() -> None:
    for wrong in (lambda: zernike.noll_to_nm(0), lambda: zernike.osa_to_noll(-1), lambda: zernike.fringe_to_noll(0)):
        with pytest.raises(ValueError, match="the first one is"):
            wrong()
    for n, m in ((2, 1), (2, 4), (-1, 1)):
        with pytest.raises(ValueError, match="no Zernike polynomial has"):
            zernike.nm_to_noll(n, m)
