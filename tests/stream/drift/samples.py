"""Simulated tables of a drifting sample with known drift: filaments, or DNA origami."""

import numpy as np

from models.localizations import Localizations
from models.scenes.structures import Field, filaments

LATERAL_NM, AXIAL_NM = 10.0, 25.0


def linear(frames: int, total_nm: tuple = (300.0, -350.0, 190.0)) -> np.ndarray:
    """(frames, 3) nm; 500 nm from the beginning to the end."""
    return np.linspace(0, 1, frames)[:, None] * total_nm


def walk(frames: int, extent_nm: float = 500.0, every: int = 1, seed: int = 3) -> np.ndarray:
    """A random walk, (frames, 3) nm, that covers `extent_nm` along its longest axis, a step every so many frames."""
    steps = np.random.default_rng(seed).normal(0, 1, (-(-frames // every) + 1, 3))
    path = np.cumsum(steps, 0)
    path *= extent_nm / np.ptp(path, 0).max()
    at = np.arange(frames) / every
    return np.stack([np.interp(at, np.arange(len(path)), path[:, axis]) for axis in range(3)], 1)


def with_jump(curve: np.ndarray, frame: int, jump_nm: tuple = (36.0, -48.0, 0.0)) -> np.ndarray:
    """The curve with a step of 60 nm at a frame."""
    moved = curve.copy()
    moved[frame:] += jump_nm
    return moved


def origami(count: int, field: Field, rng: np.random.Generator) -> np.ndarray:
    """(count, 3) nm: grids of 3 x 4 sites, 20 nm apart."""
    number = max(1, round(field.width_nm * field.height_nm / 1e6))
    centres = rng.uniform((0, 0, -field.depth_nm / 2), (*field.xy_nm, field.depth_nm / 2 + 1e-9), (number, 3))
    angle = rng.uniform(0, 2 * np.pi, number)
    which, site = rng.integers(0, number, count), rng.integers(0, 12, count)
    u, v = (site % 4 - 1.5) * 20, (site // 4 - 1) * 20
    turned = np.stack((u * np.cos(angle[which]) - v * np.sin(angle[which]),
                       u * np.sin(angle[which]) + v * np.cos(angle[which]), np.zeros(count)), 1)  # fmt: skip
    return centres[which] + turned


STRUCTURES = {"filaments": filaments, "origami": origami}


def table(
    drift_nm: np.ndarray, per_frame: float = 20.0, structure: str = "filaments", side_nm: float = 20_000.0,
    depth_nm: float = 600.0, seed: int = 1,
) -> Localizations:  # fmt: skip
    """Localizations of a sample that moves as told, 10 nm uncertain laterally and 25 nm axially."""
    rng = np.random.default_rng(seed)
    frames = len(drift_nm)
    counts = rng.poisson(per_frame, frames)
    frame = np.repeat(np.arange(frames), counts)
    place = STRUCTURES[structure](len(frame), Field(side_nm, side_nm, depth_nm), rng)
    seen = place + drift_nm[frame] + rng.normal(0, 1, place.shape) * (LATERAL_NM, LATERAL_NM, AXIAL_NM)
    columns = {"frame": frame, "x_nm": seen[:, 0], "y_nm": seen[:, 1]}
    columns |= {"sigma_x_nm": np.full(len(frame), LATERAL_NM), "sigma_y_nm": np.full(len(frame), LATERAL_NM)}
    if depth_nm:
        columns |= {"z_nm": seen[:, 2], "sigma_z_nm": np.full(len(frame), AXIAL_NM)}
    return Localizations(columns)


def errors(found_nm: np.ndarray, true_nm: np.ndarray) -> np.ndarray:
    """Root mean square difference along each axis, nm; a constant offset is taken out."""
    off = found_nm - true_nm
    return np.sqrt(np.mean((off - off.mean(0)) ** 2, 0))
