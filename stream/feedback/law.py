"""How far the activation is turned up or down: molecules in a frame -> the next power.

As in htSMLM, `dp += feedback term; P' = P + dp`, within limits, with two differences. All is relative to the power,
since the number of molecules is proportional to it, whatever the unit. And the error acts at once as well as through
what is kept of it: alone, a sum of errors swings about the wanted number without end.

    e = 1 - N / N0            N molecules in a frame, N0 wanted
    t' = t + feedback * e     the trend: what bleaching asks for each time; of e, at most TREND_ERROR
    P' = P / (1 - c)          with c = gain * e + t', so that gain 1 without a trend is P N0 / N, all of it at once

About rest, where the logarithms of number and power change alike, errors die away for any gain and feedback above 0
with 2 gain + feedback < 4, which the settings keep.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from stream.feedback.settings import ActivationSettings

LEAST_SHARE = 0.001
"""A power below this part of the maximum is changed as if it were that: from 0, no relative change leads away."""

TREND_ERROR = 0.2
"""A larger error is a start that is far off, not bleaching: kept in the trend, it would carry the number beyond."""


@dataclass(frozen=True, slots=True)
class Drive:
    """What the loop remembers.

    Parameters
    ----------
    power : float
        In the unit of the device.
    trend : float
        Relative change that is kept for each of the next changes.
    """

    power: float
    trend: float = 0.0


def first(settings: ActivationSettings) -> Drive:
    """Return where the loop begins."""
    return Drive(settings.minimum if settings.start is None else settings.start)


def after(settings: ActivationSettings) -> float:
    """Return the power that is left behind when the run is over."""
    return settings.minimum if settings.after is None else settings.after


def next_drive(drive: Drive, molecules: float, settings: ActivationSettings) -> Drive:
    """Return what follows from the mean number of molecules in a frame.

    Parameters
    ----------
    drive : Drive
    molecules : float
        Finite, not negative.
    settings : ActivationSettings
        Complete.

    Raises
    ------
    ValueError
        A number of molecules that cannot be.
    """
    if not (isfinite(molecules) and molecules >= 0):
        raise ValueError(f"molecules = {molecules}: must be a finite number, not below 0")
    assert settings.molecules is not None
    assert settings.maximum is not None
    error = 1 - molecules / settings.molecules
    if 100 * abs(error) <= settings.dead_zone_percent:
        return drive
    most = settings.step_percent / 100
    down, up = -most, most / (1 + most)  # from a power to 1 / (1 + most) of it, or to 1 + most times as much
    kept = _clamp(error, -TREND_ERROR, TREND_ERROR)
    trend = _clamp(drive.trend + settings.feedback * kept, down, up)
    change = _clamp(settings.gain * error + trend, down, up)
    wanted = drive.power + max(drive.power, LEAST_SHARE * settings.maximum) * change / (1 - change)
    power = _clamp(wanted, settings.minimum, settings.maximum)
    return Drive(power, trend if power == wanted else 0.0)  # at a limit there is no trend to follow


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
