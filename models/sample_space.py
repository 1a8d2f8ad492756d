"""The sample space: what a network was trained on, as ranges and how values are drawn from them.

One object says all three: a training draws from it, a rig is held against it before a run, and it stands on the card.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Literal, get_args

import numpy as np

Law = Literal["uniform", "log-uniform", "soft-log"]
SOFTENING = 0.3
"""Added to a value before its logarithm is taken by the law "soft-log", which therefore reaches down to 0."""


@dataclass(frozen=True, slots=True)
class Range:
    """A closed interval and how values are drawn from it.

    Parameters
    ----------
    low, high : float
    law : {"uniform", "log-uniform", "soft-log"}
        Flat in the value, in its logarithm, or in the logarithm of the value + 0.3.

    Raises
    ------
    ValueError
        The ends are the wrong way round, the law is unknown or cannot hold the low end.
    """

    low: float
    high: float
    law: Law = "uniform"

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"range from {self.low} to {self.high}: the low end comes first")
        if self.law not in get_args(Law):
            raise ValueError(f"law {self.law!r}: one of {', '.join(get_args(Law))}")
        lowest = 0 - self._shift
        if self.low <= lowest and self.law != "uniform":
            raise ValueError(f"{self.law} from {self.low:g}: must be above {lowest:g}; take uniform or soft-log")

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def middle(self) -> float:
        """Mean of the ends."""
        return (self.low + self.high) / 2

    @property
    def _shift(self) -> float:
        return SOFTENING if self.law == "soft-log" else 0.0

    def at(self, share: float) -> float:
        """Return the value below which this share of what is drawn lies."""
        if self.law == "uniform":
            return self.low + share * (self.high - self.low)
        low, high = log(self.low + self._shift), log(self.high + self._shift)
        return exp(low + share * (high - low)) - self._shift

    def sample(self, rng: np.random.Generator) -> float:
        """Draw a value."""
        if self.law == "uniform":
            return float(rng.uniform(self.low, self.high))
        low, high = log(self.low + self._shift), log(self.high + self._shift)
        return exp(rng.uniform(low, high)) - self._shift


@dataclass(frozen=True, slots=True)
class SampleSpace:
    """What a network was trained on; units in the names.

    Parameters
    ----------
    fields : mapping of str to Range or float
        Ranges of what varies from sample to sample; plain numbers are shares or facts that do not vary.
    """

    fields: Mapping[str, Range | float]

    def __getitem__(self, name: str) -> Range:
        """Return a range; raises KeyError if there is none of that name."""
        value = self.fields[name]
        if not isinstance(value, Range):
            raise KeyError(f"{name} is the number {value}, not a range")
        return value

    def number(self, name: str) -> float:
        """Return a plain number; raises KeyError if there is none of that name."""
        value = self.fields[name]
        if isinstance(value, Range):
            raise KeyError(f"{name} is a range, not a number")
        return value

    def changed(self, **fields: Range | float) -> SampleSpace:
        """Return this space with other or additional fields."""
        return SampleSpace({**self.fields, **fields})

    def scale(self, name: str) -> tuple[float, float]:
        """Return the middle and half the length of a range."""
        return self[name].middle, (self[name].high - self[name].low) / 2

    def sample(self, rng: np.random.Generator) -> dict[str, float]:
        """Draw a value from each range, in the order of the fields."""
        return {name: value.sample(rng) for name, value in self.fields.items() if isinstance(value, Range)}

    def outside(self, facts: Mapping[str, float]) -> list[str]:
        """Say which facts lie outside their range, each as one sentence with value and limit.

        Parameters
        ----------
        facts : mapping of field name to value
            Only what is known; what the space does not name is passed over.
        """
        ranges = {name: value for name, value in self.fields.items() if isinstance(value, Range)}
        return [
            f"{name} = {value:g} is outside {ranges[name].low:g} to {ranges[name].high:g}"
            for name, value in facts.items()
            if name in ranges and value not in ranges[name]
        ]

    def to_dict(self) -> dict[str, object]:
        """Return plain numbers and lists, for the model card: [low, high, law]."""
        return {n: [v.low, v.high, v.law] if isinstance(v, Range) else v for n, v in self.fields.items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> SampleSpace:
        """Rebuild from `to_dict`; a card without a law means uniform. Raises TypeError or ValueError."""
        return cls({name: Range(*v) if isinstance(v, list) else _number(name, v) for name, v in plain.items()})


def _number(name: str, value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{name} = {value!r} is neither a range nor a number")
    return float(value)


EM_READ_NOISE_E = Range(0, 0.5)
"""Read noise of training samples behind an EM register: 0 to 50 electrons over a gain of about 100."""
HOT_TIMES, HOT_PIXELS = 4.0, 0.01
"""In samples with hot pixels: their read noise over that of the others, and their share."""

LOCALIZER_2D = SampleSpace({
    "pixel_size_nm": Range(80, 160),
    "psf_sigma_px": Range(0.8, 2.2, "log-uniform"),  # of the PSF's core, in camera pixels
    "photons": Range(100, 10_000, "log-uniform"),  # photo-electrons of an emitter that is on for a whole frame
    "background_e": Range(0, 200, "soft-log"),  # photo-electrons per pixel
    "background_contrast": Range(0, 0.3),  # standard deviation over the mean
    "density_per_um2": Range(0.02, 2, "log-uniform"),  # emitters that are on
    "on_time_frames": Range(0.5, 8, "log-uniform"),
    "read_noise_e": Range(0, 4),  # photo-electrons, the EM gain taken out
    "empty_share": 0.2,  # of the samples without any emitter
    "em_share": 0.45,  # of the samples behind an EM register
    "hot_share": 0.3,  # of the others with single pixels of high read noise
})  # fmt: skip
"""What the 2D localizer is trained on."""

LOCALIZER_3D = SampleSpace({
    "pixel_size_nm": Range(98, 102),
    "z_nm": Range(-600, 600),  # from the focal plane
    "photons": Range(300, 10_000, "log-uniform"),
    "background_e": Range(1, 100, "log-uniform"),
    "background_contrast": Range(0, 0.3),
    "density_per_um2": Range(0.02, 2),
    "on_time_frames": Range(0.5, 8, "log-uniform"),
    "read_noise_e": Range(0, 4),
    "empty_share": 0.1,
    "em_share": 0.45,
    "hot_share": 0.3,
})  # fmt: skip
"""What a localizer in three dimensions is trained on, unless a file says otherwise; names as in `LOCALIZER_2D`."""
