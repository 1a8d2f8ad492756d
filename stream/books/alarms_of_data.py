"""Rules on what is measured: is it what the model was trained on, are focus and optics as at the start."""

from __future__ import annotations

from stream.books.alarms import Finding, Seen

LEAST_ROWS = 100
"""Localizations or spots that a median rests on."""
STRAYED = 1.05
"""A median that was outside its range must come back by this much."""
DENSE_RED, DENSE_AGAIN = 1.5, 0.85
"""Times the highest density of the training. Within it the models that ship still find 4 of 5 molecules at its end;
at 1.5 times the end nothing is known of what they find."""
WIDER, WIDER_AGAIN = 1.2, 1.12
"""Apparent width of spots over that at the start: 2D spots are a fifth wider some 250 nm out of focus (NA 1.4)."""
Z_MOVED_NM, Z_AGAIN_NM = 100.0, 70.0
"""Shift of the median height: a tenth of the usual range in depth."""
CHANGED_WAVES, CHANGED_AGAIN_WAVES, CHANGED_RED_WAVES = 0.05, 0.035, 1 / 14
"""Root mean square change of the wavefront; at 1/14 wave the peak has lost a fifth (Maréchal)."""
SURE = 3.0
NO_MOLECULE_FRAMES = 20


def density(seen: Seen, raised: bool) -> Finding | None:
    """Find molecules that are denser than in the training."""
    value, ends = seen.statistics.get("density_per_um2"), _trained(seen, "density_per_um2")
    if value is None or ends is None or value <= ends[1] * (DENSE_AGAIN if raised else 1.0):
        return None
    return Finding(
        "red" if value > DENSE_RED * ends[1] else "amber",
        f"too dense: {value:.2g} molecules/µm² in a frame, where they are; the model knows up to {ends[1]:g}",
        "less activation (405 nm) or more excitation, a shorter exposure; lower concentration of imager strands",
    )


def photons(seen: Seen, raised: bool) -> Finding | None:
    """Find molecules that are dimmer or brighter than in the training."""
    problem = _strayed(seen, raised, "photons", "photons", "dim", "bright")
    if problem is None:
        return None
    return Finding(
        "amber", problem,
        "too dim: more excitation, a longer exposure, check focus, buffer and [camera] gain; too bright: the contrary",
    )  # fmt: skip


def background(seen: Seen, raised: bool) -> Finding | None:
    """Find a background that was not in the training."""
    problem = _strayed(seen, raised, "background", "photo-electrons/pixel of background", "dark", "bright")
    if problem is None:
        return None
    return Finding(
        "amber", problem,
        "too bright: angle of illumination, room light, filters, fresh imager; too dark: check [camera] offset_adu",
    )  # fmt: skip


def focus(seen: Seen, raised: bool) -> Finding | None:
    """Find spots that are wider than at the start or, in depth, molecules that have all moved along the axis."""
    return _height(seen, raised) if "z_nm" in seen.statistics.get("start", {}) else _width(seen, raised)


def optics(seen: Seen, raised: bool) -> Finding | None:
    """Find a pupil that is not what it was at the start."""
    facts, change = seen.optics, seen.optics.get("change_waves", 0.0)
    if facts.get("lost"):
        return Finding("amber", f"the optics are watched no longer: {facts['reason']}", str(facts["remedy"]))
    sure = change > SURE * facts.get("change_sigma_waves", 0.0)
    if not sure or change <= (CHANGED_AGAIN_WAVES if raised else CHANGED_WAVES):
        return None
    return Finding(
        "red" if change > CHANGED_RED_WAVES else "amber",
        str(facts.get("reason", f"the wavefront has changed by {change:.3f} waves since the start")),
        "check temperature, immersion oil and correction collar; with [refine] the fits follow what it has become",
    )


def guard(seen: Seen, raised: bool) -> Finding | None:
    """Find what the guard says, which is sure of it by then."""
    verdict = seen.health.get("guard") or {"verdict": "inside"}
    if verdict["verdict"] == "inside":
        return None
    return Finding("red" if verdict["verdict"] == "outside" else "amber", verdict["cause"], verdict["remedy"])


def molecules(seen: Seen, raised: bool) -> Finding | None:
    """Find that frames come and molecules do not."""
    frames, found = seen.statistics.get("frames", 0), seen.statistics.get("localizations", 0)
    if seen.health["state"] != "running" or frames < NO_MOLECULE_FRAMES or found:
        return None
    return Finding(
        "amber", f"no molecule in the last {frames} frames",
        "check laser and shutter, focus, and the calibration in [camera]; or the sample is bleached",
    )  # fmt: skip


def _trained(seen: Seen, name: str) -> tuple[float, float] | None:
    ends = seen.statistics.get("trained", {}).get(name)
    return None if ends is None else (ends[0], ends[1])


def _strayed(seen: Seen, raised: bool, name: str, unit: str, low_word: str, high_word: str) -> str | None:
    """Return in words how a median lies outside of what was trained."""
    value, ends = seen.statistics.get("median", {}).get(name), _trained(seen, name)
    if value is None or ends is None or seen.statistics["sampled"] < LEAST_ROWS:
        return None
    low, high = (ends[0] * STRAYED, ends[1] / STRAYED) if raised else ends
    if low <= value <= high:
        return None
    word = low_word if value < low else high_word
    return f"too {word}: {value:.3g} {unit} (median), the model knows {ends[0]:g} to {ends[1]:g}"


def _width(seen: Seen, raised: bool) -> Finding | None:
    now, start = (seen.statistics.get(when, {}).get("spot_sigma_nm") for when in ("median", "start"))
    if now is None or start is None or seen.statistics["spots"] < LEAST_ROWS:
        return None
    if now <= start * (WIDER_AGAIN if raised else WIDER):
        return None
    return Finding(
        "amber", f"out of focus? spots are {100 * (now / start - 1):.0f} % wider than at the start",
        "refocus; check the focus lock, temperature and immersion oil",
    )  # fmt: skip


def _height(seen: Seen, raised: bool) -> Finding | None:
    now, start = seen.statistics.get("median", {}).get("z_nm"), seen.statistics["start"]["z_nm"]
    if now is None or seen.statistics["sampled"] < LEAST_ROWS:
        return None
    if abs(now - start) <= (Z_AGAIN_NM if raised else Z_MOVED_NM):
        return None
    return Finding(
        "amber", f"the focus has moved: molecules lie {now - start:+.0f} nm from where they were at the start (median)",
        "refocus; check the focus lock, temperature and immersion oil",
    )  # fmt: skip
