"""The sample space: the ranges a network was trained on, and whether an acquisition lies inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields


@dataclass(frozen=True, slots=True)
class Range:
    """A closed interval."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class SampleSpace:
    """What a 2D localizer was trained on; units in the names.

    Parameters
    ----------
    pixel_size_nm : Range
        Camera pixel size in the sample.
    psf_sigma_px : Range
        Standard deviation of the PSF's core in camera pixels.
    photons : Range
        Mean photo-electrons of an emitter that is on for a whole frame.
    background_e : Range
        Photo-electrons per pixel.
    density_per_um2 : Range
        Mean number of emitters that are on.
    on_time_frames : Range
        Mean on-time of an emitter.
    read_noise_e : Range
        Read noise in photo-electrons (EM gain taken out).
    em_share, hot_share : float
        Share of samples behind an EM register; share of the others with single pixels of high read noise.
    """

    pixel_size_nm: Range = Range(80, 160)
    psf_sigma_px: Range = Range(0.8, 2.2)
    photons: Range = Range(100, 10_000)
    background_e: Range = Range(0, 200)
    density_per_um2: Range = Range(0.02, 2)
    on_time_frames: Range = Range(0.7, 40)
    read_noise_e: Range = Range(0, 4)
    em_share: float = 0.45
    hot_share: float = 0.3

    def outside(self, facts: Mapping[str, float]) -> list[str]:
        """Say which facts lie outside their range, each as one sentence with value and limit.

        Parameters
        ----------
        facts : mapping of field name to value
            Only the fields that are known; names as in this class.
        """
        ranges = {field.name: getattr(self, field.name) for field in fields(self)}
        return [
            f"{name} = {value:g} is outside {ranges[name].low:g} to {ranges[name].high:g}"
            for name, value in facts.items()
            if isinstance(ranges.get(name), Range) and value not in ranges[name]
        ]

    def to_dict(self) -> dict[str, object]:
        """Return plain scalars and lists, for the model card."""
        return {name: list(v.values()) if isinstance(v, dict) else v for name, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> SampleSpace:
        """Rebuild from `to_dict`; raises TypeError for unknown fields."""
        return cls(**{name: Range(*v) if isinstance(v, list) else v for name, v in plain.items()})  # type: ignore[arg-type]
