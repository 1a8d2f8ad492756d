"""Simulated tables whose resolution and precision are known."""

import numpy as np


def blinking(
    rng: np.random.Generator,
    side_nm: float,
    emitters: int,
    frames: int,
    blinks: float,
    on_frames: float,
    sigma_nm: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Emitters anywhere in a square, each blinks a Poisson number of times, any time: frames and (n, 2) positions."""
    place = np.repeat(rng.uniform(0, side_nm, (emitters, 2)), rng.poisson(blinks, emitters), axis=0)
    start, length = rng.integers(0, frames, len(place)), rng.geometric(1 / on_frames, len(place))
    frame = np.concatenate([np.arange(a, a + n) for a, n in zip(start, length, strict=True)])
    found = np.repeat(place, length, axis=0)
    found = found + rng.normal(0, sigma_nm, found.shape)
    order = np.argsort(frame, kind="stable")
    keep = order[frame[order] < frames]
    return frame[keep], found[keep].astype(np.float32)
