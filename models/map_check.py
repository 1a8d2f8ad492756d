"""Do a camera's maps lie on its frames as they should? Turned, mirrored and transposed maps, and a missing base.

Pixels of an sCMOS have offsets and noise of their own. What is seen of that in a few frames of any sample, finer than
any structure that the optics shows, must look like the maps: in one of eight orientations it does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

Map = NDArray[np.floating]

ORIENTATIONS: dict[str, Callable[[Map], Map]] = {
    "as it is": lambda m: m,
    "turned by 90 degrees": lambda m: np.rot90(m),
    "turned by 180 degrees": lambda m: np.rot90(m, 2),
    "turned by 270 degrees": lambda m: np.rot90(m, 3),
    "mirrored left to right": lambda m: m[:, ::-1],
    "mirrored top to bottom": lambda m: m[::-1],
    "transposed": lambda m: m.T,
    "transposed and turned by 180 degrees": lambda m: np.rot90(m, 2).T,
}
FEWEST_FRAMES = 5
SURE_SIGMA = 8.0
"""A correlation this many standard errors above that of another orientation is no accident."""
BASE_ADU = 20.0
QUIET_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Orientation:
    """How well the maps lie on the frames.

    Parameters
    ----------
    best : str
        A key of `ORIENTATIONS`.
    sigma : dict of str to float
        Correlation of each orientation in standard errors; for those that have the frames' shape.
    """

    best: str
    sigma: dict[str, float]

    @property
    def wrong(self) -> bool:
        """Whether another orientation than the given one fits, beyond doubt."""
        given = self.sigma.get("as it is", 0.0)
        return self.sigma[self.best] > max(given, 0.0) + SURE_SIGMA


def orientation(frames: NDArray[np.uint16], offset_adu: Map | None, variance_adu2: Map | None) -> Orientation:
    """Compare the pixels' own pattern in frames (t, y, x) with the maps in all orientations.

    Raises
    ------
    ValueError
        Fewer than 5 frames, no map, or maps that have the frames' shape in no orientation.
    """
    if len(frames) < FEWEST_FRAMES:
        raise ValueError(f"{len(frames)} frames: at least {FEWEST_FRAMES} are needed to see the noise of pixels")
    stack = frames.astype(np.float64)
    pairs = []
    if offset_adu is not None:
        pairs.append((offset_adu.astype(float), _fine(np.median(stack, axis=0))))
    if variance_adu2 is not None:
        pairs.append((np.log(np.maximum(variance_adu2, 1e-3)), _fine(np.log(stack.var(axis=0) + 0.1))))
    if not pairs:
        raise ValueError("neither an offset nor a noise map was given")
    sigma = {
        name: float(np.sqrt(sum(_correlation(_fine(turn(given)), seen) ** 2 for given, seen in pairs)))
        for name, turn in ORIENTATIONS.items()
        if turn(pairs[0][0]).shape == stack.shape[1:]
    }
    if not sigma:
        raise ValueError(f"maps of shape {pairs[0][0].shape} fit frames of {stack.shape[1:]} in no orientation")
    return Orientation(max(sigma, key=lambda name: sigma[name]), sigma)


def missing_base_adu(
    frames: NDArray[np.uint16], offset_adu: Map | float, variance_adu2: Map | float, gain_e_per_adu: Map | float
) -> float:
    """Return by how much the frames lie above the offset without the noise that light of that level would have, in ADU.

    Light of L ADU has a variance of L / gain ADU^2 beside that of reading. What is above the offset and has no such
    noise is no light but a base that the maps lack. Seen in the darker half of the pixels; about 0 where all is well.
    """
    stack = frames.astype(np.float64)
    level = np.median(stack, axis=0) - offset_adu
    noise = (np.diff(stack, axis=0) ** 2).mean(axis=0) / 2 - variance_adu2
    quiet = level <= np.quantile(level, QUIET_SHARE)
    as_light = np.minimum(noise, np.quantile(noise[quiet], 0.9)) * np.asarray(gain_e_per_adu)
    return float(np.median(level[quiet]) - as_light[quiet].mean())


def doubts(
    frames: NDArray[np.uint16], offset_adu: Map | None, variance_adu2: Map | None, gain_e_per_adu: Map | float
) -> list[str]:
    """Say what does not fit between maps and frames, with the numbers; nothing for fewer than 5 frames."""
    found: list[str] = []
    if len(frames) < FEWEST_FRAMES:
        return found
    seen = orientation(frames, offset_adu, variance_adu2)
    given = seen.sigma.get("as it is", 0.0)
    if seen.wrong:
        found.append(
            f"the camera's maps fit the frames {seen.best} ({seen.sigma[seen.best]:.0f} standard errors; as they are, "
            f"{given:.0f}): turn the maps, or the frames, that way"
        )
    best = ORIENTATIONS[seen.best] if seen.wrong else ORIENTATIONS["as it is"]
    if offset_adu is not None:
        known = (offset_adu, 0.0 if variance_adu2 is None else variance_adu2, gain_e_per_adu)
        base = missing_base_adu(frames, *(best(m) if isinstance(m, np.ndarray) else m for m in known))
        if base > BASE_ADU:
            found.append(
                f"the frames lie {base:.0f} ADU above the offset map without the noise of light: add that base to "
                "offset_adu, or check gain_e_per_adu"
            )
    return found


def _fine(values: Map) -> Map:
    """Return what is finer than the optics' spots, outliers cut to five median deviations."""
    rest = values - median_filter(values, 3)
    limit = 5 * 1.4826 * float(np.median(np.abs(rest))) + 1e-9
    return np.clip(rest, -limit, limit)


def _correlation(one: Map, other: Map) -> float:
    """Return Pearson's correlation in standard errors, which are 1 / sqrt(n) without one; not below 0."""
    a, b = one - one.mean(), other - other.mean()
    norm = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return max(float((a * b).sum()) / norm * np.sqrt(one.size), 0.0) if norm else 0.0
