"""When a run has what it wants, or will not get more."""

from __future__ import annotations

from stream.feedback.settings import StopSettings


def met(settings: StopSettings, localizations: int, frames_at_maximum: int) -> str:
    """Return which condition of `[stop]` is met, in words; nothing if none is.

    Parameters
    ----------
    settings : StopSettings
    localizations : int
        In the table by now.
    frames_at_maximum : int
        Taken in a row with the activation at its maximum.
    """
    if settings.localizations is not None and localizations >= settings.localizations:
        return f"{localizations} localizations: [stop] localizations = {settings.localizations} is reached"
    if settings.at_maximum_frames is not None and frames_at_maximum >= settings.at_maximum_frames:
        return (
            f"{frames_at_maximum} frames with the activation at its maximum: "
            f"[stop] at_maximum_frames = {settings.at_maximum_frames} is reached"
        )
    return ""
