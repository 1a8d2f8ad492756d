"""What errors a model that predicts dense images usually has, from the scores on its card."""

from __future__ import annotations

import numpy as np

from export.card import Card
from models.predicted.space import FULL_FRAMES, SCORED_PER_UM2


def usual_error(card: Card, localizations_per_um2: float) -> float | None:
    """Return what the error of 95 in 100 tiles of a learned structure is below; None if the card does not say.

    Parameters
    ----------
    card : Card
        Its scores are by frames of a simulated acquisition that ends with `SCORED_PER_UM2` localizations.
    localizations_per_um2 : float
        That are there so far.
    """
    rows: dict[str, dict[str, float]] = card.scores.get("by_frames", {})
    if not rows or localizations_per_um2 <= 0:
        return None
    densities = [int(frames) / FULL_FRAMES * SCORED_PER_UM2 for frames in rows]
    errors = [row["usual_error"] for row in rows.values()]
    return float(np.interp(np.log(localizations_per_um2), np.log(densities), errors))
