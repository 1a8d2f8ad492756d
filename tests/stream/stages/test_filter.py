"""A filter takes out what it is told to, counts it, and leaves alone what it cannot judge."""

import numpy as np
import pytest

from models.localizations import Localizations
from stream.config import FilterSettings
from stream.frame import Batch
from stream.stages.filter import Filter
from stream.stages.stage import Located

TABLE = Localizations({
    "frame": np.array([0, 0, 1, 1]), "x_nm": np.arange(4.0), "y_nm": np.arange(4.0),
    "sigma_x_nm": np.array([5.0, 30, 5, 5]), "sigma_y_nm": np.array([5.0, 5, 30, 5]),
    "photons": np.array([100.0, 1000, 1000, 1000]), "goodness": np.array([1.0, 1.0, np.nan, 1.5]),
})  # fmt: skip


class Given:
    look_ahead_frames = 1

    def process(self, batch: Batch) -> Located:
        return Located(TABLE, np.array([0, 1]), np.zeros(2))

    def flush(self) -> Located:
        return Located(TABLE.where(slice(0, 0)), np.array([2]), np.zeros(1))


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"max_sigma_nm": 20}, [0, 3]),
        ({"min_photons": 500}, [1, 2, 3]),
        ({"max_goodness": 1.2}, [0, 1, 2]),  # the third was not fitted: it cannot be judged
        ({"max_sigma_z_nm": 10}, [0, 1, 2, 3]),  # there is no z
        ({"max_sigma_nm": 20, "min_photons": 500}, [3]),
    ],
)
def test_what_is_kept_and_how_many_are_not(settings: dict[str, float], kept: list[int]) -> None:
    stage = Filter(Given(), FilterSettings(**settings))
    none = np.empty(0)
    located = stage.process(Batch(np.empty((0, 1, 1), "u2"), none.astype(int), none, none, none))
    assert located.table["x_nm"].tolist() == kept
    assert located.left_out == 4 - len(kept)
    assert located.index.tolist() == [0, 1]
    assert (stage.look_ahead_frames, stage.flush().left_out) == (1, 0)
