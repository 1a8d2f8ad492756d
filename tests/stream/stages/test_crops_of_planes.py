"""Molecules that are seen twice on one camera, and what is said of orientations."""

from types import SimpleNamespace

import numpy as np
import pytest

from models.aberrations.space import with_objective
from models.camera import Camera
from models.crops.space import ON_COVERSLIP
from models.localizations import READ, Localizations
from models.optics.objective import Objective
from stream.config import validate
from stream.crops import second_plane
from stream.errors import RigError
from stream.frame import Batch
from stream.stages.crops import CropReader
from stream.stages.oriented_bounds import SIGMA, OrientedBounds
from stream.stages.second_plane import SecondPlane
from stream.stages.stage import Located

SIDE, CROP, WIDE = 40, 8, 80
CAMERA = Camera(offset_adu=100, gain_adu_per_e=1.0, read_noise_e=1.0)
PLACES = np.array([[20, 12], [60, 12], [10, 30], [50, 30], [53, 30], [30, 30], [75, 2]])
"""Columns and rows: seen twice; seen twice, but with a neighbour there; not found there; in the second plane only."""


class Known:
    """A localizer that knows all places, those of the second plane too."""

    look_ahead_frames = 0

    def process(self, batch: Batch) -> Located:
        xy = 100 * (PLACES + 0.5)
        columns = {"frame": np.zeros(len(xy)), "x_nm": xy[:, 0], "y_nm": xy[:, 1], "photons": np.ones(len(xy))}
        return Located(Localizations(columns), batch.index, batch.index.astype(float))


class Says:
    """A network that keeps what it is given."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        class card:  # noqa: N801
            multiple_px = CROP

        card.columns, self.card = columns, card

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.counts = inputs["counts"]
        assert inputs["variance"].shape == self.counts.shape
        return {"table": np.full((len(self.counts), len(self.card.columns)), 40.0, "f4")}


def read(network: Says, **more) -> Localizations:
    pixels, none = np.full((1, SIDE, WIDE), 100, np.uint16), np.full(1, np.nan)
    for number, (x, y) in enumerate(PLACES):
        pixels[0, y, x] = 200 + 100 * number
    stage = CropReader(Known(), network, CAMERA, (SIDE, WIDE), 100.0, **more)
    return stage.process(Batch(pixels, np.arange(1), none, none, none)).table


def test_both_images_of_a_molecule_are_cut_where_they_are() -> None:
    network = Says(("noll_5_waves",))
    table = read(network, second=SecondPlane((40.3, 0.0)))
    assert ((np.asarray(table["flags"]) & READ) > 0).tolist() == [True, False, False, False, False, True, False]
    assert network.counts.shape == (2, 2, CROP, CROP)
    brightest = network.counts[0].max(axis=(1, 2))
    np.testing.assert_allclose(brightest, [100, 200])
    assert len(table) == len(PLACES)


def test_orientations_are_read_and_nan_elsewhere() -> None:
    space = with_objective(ON_COVERSLIP, Objective())
    table = read(Says(("theta_deg", "phi_deg")), bounds=OrientedBounds(space, CROP))
    read_rows = (np.asarray(table["flags"]) & READ) > 0
    assert read_rows.any()
    assert not read_rows.all()
    for name in ("theta_deg", "phi_deg", SIGMA):
        assert np.array_equal(np.isfinite(np.asarray(table[name])), read_rows)
    assert (np.asarray(table["theta_deg"])[read_rows] == 40).all()
    assert (np.asarray(table[SIGMA])[read_rows] > 0).all()


@pytest.mark.parametrize(("stated", "axes"), [([40, 0], ("crop", "y", "x")), (None, ("crop", "plane", "y", "x"))])
def test_the_second_plane_is_stated_for_models_that_see_it_and_only_for_these(stated, axes: tuple[str, ...]) -> None:
    crops = {"model": "m.onnx"} | ({} if stated is None else {"second_plane_px": stated})
    rig = validate({"camera": {"pixel_size_nm": 100}, "crops": crops}, "here")
    card = SimpleNamespace(name="m", inputs=[SimpleNamespace(axes=axes)])
    with pytest.raises(RigError, match="second_plane_px"):
        second_plane(rig, card)
    other = SimpleNamespace(name="m", inputs=[SimpleNamespace(axes=("crop", "plane", "x") if stated else ("crop",))])
    assert (second_plane(rig, other) is None) == (stated is None)
