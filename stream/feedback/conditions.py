"""When a run has what it wants, or will not get more."""

from __future__ import annotations

from collections.abc import Sequence

from stream.feedback.settings import StopSettings

IN_A_ROW = 3
"""Estimates of the resolution that must agree: a single one may be fine by chance."""


def met(
    settings: StopSettings, localizations: int, frames_at_maximum: int, resolutions_nm: Sequence[float | None] = ()
) -> str:
    """Return which condition of `[stop]` is met, in words; nothing if none is.

    Parameters
    ----------
    settings : StopSettings
    localizations : int
        In the table by now.
    frames_at_maximum : int
        Taken in a row with the activation at its maximum.
    resolutions_nm : sequence of float or None
        Newest estimates, IN_A_ROW at most; None where there was none.
    """
    if settings.localizations is not None and localizations >= settings.localizations:
        return f"{localizations} localizations: [stop] localizations = {settings.localizations} is reached"
    if settings.at_maximum_frames is not None and frames_at_maximum >= settings.at_maximum_frames:
        return (
            f"{frames_at_maximum} frames with the activation at its maximum: "
            f"[stop] at_maximum_frames = {settings.at_maximum_frames} is reached"
        )
    target_nm = settings.resolution_nm
    fine = [nm for nm in resolutions_nm if nm is not None and target_nm is not None and nm <= target_nm]
    if len(fine) == IN_A_ROW:
        estimates = ", ".join(f"{nm:.4g}" for nm in fine)
        return f"a resolution of {estimates} nm: [stop] resolution_nm = {target_nm:g} is reached"
    return ""
