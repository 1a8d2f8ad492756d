import pytest

from models.optics.crlb import gaussian_crlb_px


@pytest.mark.parametrize(
    ("photons", "background", "mortensen_nm"), [(1000, 10, 5.625), (1000, 50, 8.202), (500, 10, 9.088)]
)
def test_the_bound_is_the_closed_form_of_mortensen(photons: float, background: float, mortensen_nm: float) -> None:
    """Mortensen et al. 2010, maximum likelihood, sigma 130 nm, pixel 100 nm; values computed from the closed form."""
    assert 100 * gaussian_crlb_px(1.3, photons, background) == pytest.approx(mortensen_nm, rel=0.02)


def test_an_em_register_costs_the_square_root_of_two() -> None:
    assert gaussian_crlb_px(1.3, 1000, 10, excess=2) == pytest.approx(2**0.5 * gaussian_crlb_px(1.3, 1000, 10))
