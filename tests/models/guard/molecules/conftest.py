"""Single molecules behind known optics, localized with a known error."""

from collections.abc import Callable

import numpy as np
import pytest

from models.camera import Camera
from models.guard.molecules.optics import Change, KnownOptics
from models.guard.molecules.subject import InDepth
from models.localizations import Localizations
from models.optics.objective import Objective
from models.optics.propagator import Setup
from models.scenes.optics import MASKS

PIXEL_NM, HALF_NM, SIDE_PX = 100.0, 400.0, 25
PHOTONS, BACKGROUND = 2000.0, 10.0

MATCHED = Change()

Molecules = tuple[np.ndarray, np.ndarray, Localizations]
Draw = Callable[..., Molecules]


@pytest.fixture(scope="session")
def known() -> KnownOptics:
    setup = Setup(Objective(sample_index=1.518), {}, MASKS["astigmatism"], height_nm=HALF_NM + 50)
    return KnownOptics(setup, PIXEL_NM, (-HALF_NM - 51, HALF_NM + 51))


@pytest.fixture(scope="session")
def subject(known: KnownOptics) -> InDepth:
    return InDepth(known, known.quick(Change(), 35), HALF_NM)


@pytest.fixture(scope="session")
def camera() -> Camera:
    return Camera(offset_adu=100, gain_adu_per_e=1.0, read_noise_e=1.0)


@pytest.fixture(scope="session")
def draw(known: KnownOptics) -> Draw:
    """Return frames of one molecule each, their numbers, and a table with errors of a third of the stated ones."""

    def drawn(count: int, change: Change = MATCHED, gain: float = 1.0, seed: int = 1) -> Molecules:
        rng = np.random.default_rng(seed)
        place = np.column_stack((rng.uniform(-50, 50, (count, 2)), rng.uniform(-300, 300, count)))
        mean = PHOTONS * np.asarray(known.quick(change, SIDE_PX)(place)) + BACKGROUND
        counts = gain * (rng.poisson(mean) + rng.normal(0, 1, mean.shape))
        error = rng.normal(0, [3.0, 3.0, 10.0], (count, 3))
        middle = SIDE_PX / 2 * PIXEL_NM
        column = {name: np.full(count, value) for name, value in {
            "sigma_x_nm": 9.0, "sigma_y_nm": 9.0, "sigma_z_nm": 30.0, "photons": PHOTONS, "sigma_photons": 60.0,
            "background": BACKGROUND,
        }.items()}  # fmt: skip
        table = Localizations({
            "frame": np.arange(count), "x_nm": place[:, 0] + error[:, 0] + middle,
            "y_nm": place[:, 1] + error[:, 1] + middle, "z_nm": place[:, 2] + error[:, 2], **column,
        })  # fmt: skip
        return counts.astype(np.float32), np.arange(count), table

    return drawn
