"""What is wrong with the rig's camera, from how its noise grows with the level: gain, offset or read noise.

Each is tried alone against the sums (`transfer_sums.py`). Where the level hardly varies they explain the same noise:
then all that do are named, each with its value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.camera import Camera
from models.guard.camera.transfer_sums import AS_STATED, TransferSums
from models.guard.verdict import Finding, Word

Float64 = NDArray[np.float64]
TOLERABLE = 0.125
"""Of the variance, or of the gain: positions hardly change, uncertainties by half of it."""
HOLDS = 0.02
"""No part of a real camera's noise is known better than this: dark, slope and intercept."""
AS_GOOD = 9.0
"""A cause whose chi-square is this much above that of the best is ruled out: three standard errors."""
LEAST_READ_NOISE = 0.3
"""Times the rig's: no camera is so much quieter than somebody has measured."""
GAINS = np.geomspace(0.2, 5.0, 1601)
REGISTER = (1.8, 2.2)
CALIBRATE = "livesmlm calibrate-camera"


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause that was tried.

    Parameters
    ----------
    name : str
    value : float
        Electrons per count over the rig's; offset less the rig's in ADU; read noise over the rig's.
    chi2 : float
        What it leaves.
    """

    name: str
    value: float
    chi2: float


def causes(sums: TransferSums) -> list[Cause]:
    """Return what explains the sums as well as anything does, the best first."""
    tried = sorted([_gain(sums), *_linear(sums)], key=lambda cause: cause.chi2)
    return [cause for cause in tried if cause.chi2 <= tried[0].chi2 + AS_GOOD]


def finding(sums: TransferSums, camera: Camera) -> Finding:
    """Say in words what is wrong with the camera of the rig."""
    ratio, error = sums.ratio()
    found = causes(sums)
    evidence = {"variance_ratio": 1 + ratio, "variance_ratio_error": error, "slope_ratio": 1 + sums.slope()[0]}
    evidence |= {cause.name.replace(" ", "_"): cause.value for cause in found}
    off = max(abs(ratio), abs(1 / found[0].value - 1) if found[0].name == "gain" else 0.0)
    word: Word = "outside" if off > TOLERABLE else "drifting"
    if len(found) == 1:
        cause, remedy = _words(found[0], camera)
        return Finding(found[0].name, word, f"{found[0].name}: {cause}", remedy, off / TOLERABLE, evidence)
    each = " or ".join(_short(cause) for cause in sorted(found, key=_unlikely))
    return Finding(
        "noise", word, f"the variance is {1 + ratio:.2f} times what gain, offset and read noise predict: {each}",
        f"{CALIBRATE}; the level varies too little to tell which", off / TOLERABLE, evidence,
    )  # fmt: skip


def _left(sums: TransferSums, parameters: Float64) -> Float64:
    """Return chi-squares of (n, 3) parameters."""
    rest = sums.noise - parameters @ sums.design.T
    return np.asarray(np.einsum("ni,ij,nj->n", rest, _weight(sums), rest))


def _weight(sums: TransferSums) -> Float64:
    """Return the inverse covariance of the sums, for the noise as it is and lines that hold no better than they do."""
    level = sums.design[2, 1] / sums.design[2, 2]
    unsure = (sums.design * (HOLDS * np.array([1.0, 1.0, level])) ** 2) @ sums.design.T
    scale = np.outer(root := np.sqrt(np.diag(sums.covariance)), root)
    covariance = ((1 + sums.ratio()[0]) ** 2 * sums.covariance + unsure) / scale
    return np.asarray(np.linalg.pinv(covariance, rcond=1e-7, hermitian=True) / scale)


def _gain(sums: TransferSums) -> Cause:
    """Try other counts per electron: the read noise in electrons stays, so its variance goes with the square."""
    chi2 = _left(sums, np.column_stack([GAINS**2, GAINS, np.zeros_like(GAINS)]))
    best = int(np.argmin(chi2))
    return Cause("gain", 1 / float(GAINS[best]), float(chi2[best]))


def _linear(sums: TransferSums) -> list[Cause]:
    """Try another offset and another read noise, whose variance adds to the sums."""
    rest, weight, found = sums.noise - sums.design @ AS_STATED, _weight(sums), []
    for name, direction in (("offset", np.array([0.0, 0.0, -1.0])), ("read noise", np.array([1.0, 0.0, 0.0]))):
        along = sums.design @ direction
        step = float(along @ weight @ rest / (along @ weight @ along))
        if name == "read noise" and step < LEAST_READ_NOISE**2 - 1:
            continue
        chi2 = float(_left(sums, (AS_STATED + step * direction)[None])[0])
        found.append(Cause(name, step if name == "offset" else float(np.sqrt(1 + step)), chi2))
    return found


def _words(cause: Cause, camera: Camera) -> tuple[str, str]:
    """Return the cause and the remedy of one that is sure."""
    if cause.name == "gain":
        return _gain_words(cause.value, camera)
    if cause.name == "offset":
        stated = float(np.median(camera.offset_adu))
        text = f"the noise is that of an offset {abs(cause.value):.1f} ADU {_side(cause.value)} the {stated:.4g} ADU"
        return f"{text} in [camera]", f"{CALIBRATE}, or [camera] offset_adu = {stated + cause.value:.4g}"
    stated = float(np.median(camera.read_noise_e))
    return (
        f"the noise is that of {cause.value:.2f} times the read noise in [camera]",
        f"{CALIBRATE}, or [camera] read_noise_e = {stated * cause.value:.3g}; check the camera's readout mode",
    )


def _gain_words(factor: float, camera: Camera) -> tuple[str, str]:
    stated = 1 / float(np.median(camera.gain_adu_per_e))
    text = f"the noise is that of {factor:.2f} times the gain_e_per_adu of {stated:.3g} in [camera]"
    remedy = f"{CALIBRATE}, or [camera] gain_e_per_adu = {stated * factor:.3g}"
    if camera.em_gain > 1:
        return text, f"{remedy}, or em_gain = {camera.em_gain / factor:.3g}"
    if REGISTER[0] < 1 / factor < REGISTER[1]:
        return f"{text}, or of an EM register that [camera] does not name", f"{remedy}; em_gain, if there is a register"
    return text, remedy


def _unlikely(cause: Cause) -> float:
    """Return how far a cause is from what rigs usually get wrong: what is likely is named first."""
    if cause.name == "offset":
        return abs(cause.value) / 10
    return abs(float(np.log(max(cause.value, 1e-3)))) / (0.2 if cause.name == "gain" else 0.7)


def _short(cause: Cause) -> str:
    if cause.name == "gain":
        return f"gain_e_per_adu {cause.value:.2f} times the stated"
    if cause.name == "offset":
        return f"offset_adu {abs(cause.value):.1f} {_side(cause.value)} the stated"
    return f"read noise {cause.value:.2f} times the stated"


def _side(value: float) -> str:
    return "above" if value > 0 else "below"
