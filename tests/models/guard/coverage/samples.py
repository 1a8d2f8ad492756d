"""Tables of molecules as a network finds them that was trained on such, or on others."""

import numpy as np

from models.localizations import Localizations
from models.sample_space import SampleSpace

SIDE_NM, BATCH = 12_800.0, 16


class Sample:
    """Molecules that stay on for some frames, with the values that a training has: a table for each batch.

    Parameters
    ----------
    per_frame : float
    on_frames : float
    change : function of a dict of columns, which it may change
    """

    def __init__(self, space: SampleSpace, per_frame=40.0, on_frames=3.0, change=None, side_nm=SIDE_NM, seed=1) -> None:
        self._rng, self._space, self._change = np.random.default_rng(seed), space, change
        self._rate, self._on, self._side, self._frame = per_frame / (on_frames + 1), on_frames, side_nm, 0
        self.molecules = 0

    def batch(self) -> tuple[Localizations, np.ndarray]:
        """Stays begin within the batch and are cut at its end: the next begins with others."""
        rng, space = self._rng, self._space
        count = rng.poisson(self._rate * (BATCH + 6 * self._on))
        self.molecules += count
        first = rng.integers(-int(6 * self._on), BATCH, count)
        length = 1 + rng.geometric(1 / (1 + self._on), count) - 1
        x, y = rng.uniform(0, self._side, (2, count))
        log = rng.uniform(0, 1, (2, count))
        columns = {
            "x_nm": x, "y_nm": y, "photons": np.array([space["photons"].at(share) for share in log[0]]),
            "background": np.array([space["background_e"].at(share) for share in log[1]]),
            "sigma_x_nm": np.clip(rng.normal(17, 5, count), 5.5, 29),
        }  # fmt: skip
        if "z_nm" in space.fields:
            columns["z_nm"] = rng.uniform(space["z_nm"].low, space["z_nm"].high, count)
        if self._change:
            self._change(columns, rng)
        row = np.repeat(np.arange(count), length)
        frame = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
        order = np.argsort(frame, kind="stable")
        order = order[(frame[order] >= 0) & (frame[order] < BATCH)]
        table = {name: values[row[order]] for name, values in columns.items()}
        table |= {"photons": table["photons"] * np.exp(0.1 * rng.standard_normal(len(order)))}
        index = np.arange(self._frame, self._frame + BATCH)
        self._frame += BATCH
        return Localizations({"frame": frame[order] + index[0], **table}), index


def scaled(column: str, factor: float, most: float = np.inf):
    def change(columns: dict[str, np.ndarray], rng: np.random.Generator) -> None:
        columns[column] = np.minimum(columns[column] * factor, most * (1 - 0.02 * rng.random(len(columns[column]))))

    return change
