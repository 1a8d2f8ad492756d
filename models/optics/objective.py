"""The optics between the emitter and the camera."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Objective:
    """Objective, immersion, coverslip and sample.

    Parameters
    ----------
    numerical_aperture : float
    immersion_index, coverslip_index, sample_index : float
        Refractive indices at the emission wavelength.
    wavelength_nm : float
        Emission, in vacuum.

    Raises
    ------
    ValueError
        A value that no microscope has.
    """

    numerical_aperture: float = 1.4
    immersion_index: float = 1.518
    coverslip_index: float = 1.518
    sample_index: float = 1.33
    wavelength_nm: float = 680.0

    def __post_init__(self) -> None:
        for name in ("immersion_index", "coverslip_index", "sample_index"):
            _between(name, getattr(self, name), 1.0, 2.5)
        _between("wavelength_nm", self.wavelength_nm, 200, 2000)
        widest = min(self.immersion_index, self.coverslip_index)
        if not 0 < self.numerical_aperture < widest:
            raise ValueError(
                f"numerical_aperture = {self.numerical_aperture:g}: must be above 0 and below {widest:g}, the "
                "smaller index of immersion and coverslip; check which of them is wrong"
            )


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} = {value:g}: must be from {low:g} to {high:g}")
