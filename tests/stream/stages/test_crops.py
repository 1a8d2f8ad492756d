"""Rows that are read in crops: the right ones, in the right places and units, however frames are cut into batches."""

from itertools import pairwise

import numpy as np
import pytest

from models.camera import Camera
from models.localizations import OUTSIDE, READ, Localizations, concatenate
from models.optics.crlb import spot_bounds
from models.optics.gaussian import GaussianSpot, astigmatic
from models.optics.low_rank_build import low_rank
from models.sample_space import Range, SampleSpace
from stream.frame import Batch
from stream.stages.crop_bounds import CropBounds
from stream.stages.crop_optics import MOLECULES, PupilOfCrops
from stream.stages.crops import CropReader
from stream.stages.stage import Located

SIDE, CROP, PIXEL_NM = 40, 8, 100.0
CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5, quantum_efficiency=0.5)
FULL = ("x_px", "y_px", "z_nm", "photons", "background", "sigma_x_px", "sigma_y_px", "sigma_z_nm", "sigma_photons")
SPOT = low_rank(GaussianSpot(astigmatic(120, -250, 250, 350), PIXEL_NM, 21), (-500, 500), 30, 9, reach_px=0)


class Says:
    """A network that says the centroid of its crop, and what is beside it."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.calls: list[int] = []

        class card:  # noqa: N801
            multiple_px = CROP

        card.columns = columns
        self.card = card

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        counts = inputs["counts"]
        self.calls.append(len(counts))
        assert inputs["variance"].shape == counts.shape
        assert counts.dtype == inputs["variance"].dtype == np.float32
        grid, total = np.arange(CROP) + 0.5 - CROP / 2, counts.sum((1, 2))
        own = {"x_px": counts.sum(1) @ grid / total, "y_px": counts.sum(2) @ grid / total, "photons": total}
        others = {"z_nm": 55.0, "background": 3.0, "sigma_x_px": 0.1, "sigma_y_px": 0.2, "sigma_z_nm": 9.0}
        known = own | {name: np.full(len(counts), value) for name, value in others.items()}
        known |= {"sigma_photons": total / 10, "channel": 0 * total + 1, "channel_probability": 0 * total + 0.75}
        return {"table": np.column_stack([known[name] for name in self.card.columns]).astype("f4")}


class Known:
    """A localizer that answers for all but the newest frame with the pixels that are bright, 30 nm off."""

    look_ahead_frames = 1

    def __init__(self, deep: bool = True) -> None:
        self._waiting: list[tuple[int, np.ndarray]] = []
        self._deep = deep

    def process(self, batch: Batch) -> Located:
        self._waiting += zip(batch.index.tolist(), batch.pixels.copy(), strict=True)
        done, self._waiting = self._waiting[:-1], self._waiting[-1:]
        return self._answer(done)

    def flush(self) -> Located:
        done, self._waiting = self._waiting, []
        return self._answer(done)

    def _answer(self, done: list[tuple[int, np.ndarray]]) -> Located:
        where = [np.argwhere(pixels > 300) for _, pixels in done]
        frame = np.repeat([index for index, _ in done], [len(one) for one in where]).astype(np.int64)
        row, column = (np.concatenate([np.zeros((0, 2), int), *where]).T + 0.5) * PIXEL_NM
        same = {"sigma_x_nm": 20, "sigma_y_nm": 20, "photons": 77, "sigma_photons": 7, "background": 1}
        if self._deep:
            same |= {"z_nm": -1, "sigma_z_nm": 30}
        columns = {"frame": frame, "x_nm": column + 30, "y_nm": row, "flags": np.full(len(frame), OUTSIDE)}
        table = Localizations(columns | {name: np.full(len(frame), value) for name, value in same.items()})
        index = np.array([k for k, _ in done], np.int64)
        return Located(table, index, index.astype(float), left_out=1)


def movie(places: list[list[tuple[int, int]]]) -> np.ndarray:
    """Frames with one bright pixel (row, column) for each molecule: 200 photo-electrons of it, and nothing else."""
    pixels = np.full((len(places), SIDE, SIDE), 100, np.uint16)
    for frame, where in zip(pixels, places, strict=True):
        for row, column in where:
            frame[row, column] = 500
    return pixels


ALONE, PAIR, EDGE = [(12, 20)], [(12, 20), (14, 20)], [(1, 20), (30, 38)]
PLACES = [ALONE, PAIR, [], EDGE, [(12, 20), (30, 9)], ALONE]


def run(columns: tuple[str, ...], cuts: list[int] | None = None, deep: bool = True, **more) -> tuple[Located, Says]:
    pixels, network = movie(PLACES), Says(columns)
    stage = CropReader(Known(deep), network, CAMERA, (SIDE, SIDE), PIXEL_NM, **more)
    assert stage.look_ahead_frames == 1
    parts = []
    for a, b in pairwise([0, *(cuts or []), len(pixels)]):
        none = np.full(b - a, np.nan)
        parts.append(stage.process(Batch(pixels[a:b], np.arange(a, b), none, none, none)))
    parts.append(stage.flush())
    index = np.concatenate([part.index for part in parts])
    left_out = sum(part.left_out for part in parts) - len(parts)
    return Located(concatenate([part.table for part in parts]), index, index, left_out), network


def test_a_row_is_where_its_light_is_in_the_units_of_the_table() -> None:
    located, _ = run(FULL)
    row = located.table.where(slice(0, 1))
    want = {
        "x_nm": 2050, "y_nm": 1250, "z_nm": 55, "photons": 400, "background": 3, "sigma_x_nm": 10, "sigma_y_nm": 20,
        "sigma_z_nm": 9, "sigma_photons": 40,
    }  # fmt: skip
    assert {name: float(row[name][0]) for name in want} == pytest.approx(want, abs=1e-2)
    assert located.index.tolist() == list(range(len(PLACES)))


def test_neighbours_and_what_lies_at_the_edge_stay_as_they_were() -> None:
    located, network = run(FULL)
    frame, flags = np.asarray(located.table["frame"]), np.asarray(located.table["flags"])
    assert frame.tolist() == [0, 1, 1, 3, 3, 4, 4, 5]
    assert (flags & OUTSIDE).all()
    assert ((flags & READ) > 0).tolist() == [True, False, False, False, False, True, True, True]
    assert set(located.table["photons"][(flags & READ) == 0]) == {77}
    assert network.calls == [3, 1]  # once for all frames that come together
    assert located.left_out == 0


def test_where_the_localizer_has_no_depth_other_rows_are_left_out_and_counted() -> None:
    located, _ = run(FULL, deep=False)
    assert np.asarray(located.table["frame"]).tolist() == [0, 4, 4, 5]
    assert located.left_out == 4
    assert set(located.table["z_nm"]) == {55}


@pytest.mark.parametrize("cuts", [[1, 2, 3, 4, 5], [3], [2, 4]])
def test_answers_do_not_depend_on_how_frames_are_cut(cuts: list[int]) -> None:
    whole, parts = run(FULL)[0].table, run(FULL, cuts)[0].table
    for name in whole:
        np.testing.assert_array_equal(whole[name], parts[name])


def test_only_what_is_said_is_replaced_and_its_uncertainty_is_the_bound() -> None:
    located, _ = run(("z_nm",), bounds=CropBounds(SPOT, CROP))
    row = located.table.where(slice(0, 1))
    assert (row["x_nm"][0], row["photons"][0], row["sigma_x_nm"][0]) == (2080, 77, 20)
    place = np.array([[30.0, 100, 55, 200, 0.01]])  # x and y are the localizer's
    want = spot_bounds(SPOT.cropped(CROP - 1, 2), place, CAMERA.variance_e2)["z_nm"][0]
    assert (row["z_nm"][0], row["sigma_z_nm"][0]) == pytest.approx((55, want), rel=0.02)


def test_colours_are_told_and_who_has_none_stays() -> None:
    located, _ = run(("channel", "channel_probability"), deep=False)
    table, read = located.table, (np.asarray(located.table["flags"]) & READ) > 0
    assert read.tolist() == [True, False, False, False, False, True, True, True]
    assert table["channel"].tolist() == np.where(read, 1, -1).tolist()
    assert table["channel_probability"].tolist() == np.where(read, 0.75, 0).tolist()
    assert set(table["photons"]) == {77}
    assert located.left_out == 0


def test_many_crops_tell_the_pupil_of_all() -> None:
    space, rng = SampleSpace({f"noll_{j}_waves": Range(-0.06, 0.06) for j in (5, 6)}), np.random.default_rng(1)
    pupil, own, reports = PupilOfCrops(space, {"noll_5_waves": 0.001, "noll_6_waves": 0.0}), 0.03, []
    for true in (0.01, 0.05):
        for frame in range(0, MOLECULES, 50):
            said = true + own * rng.normal(size=(2, 50))
            precision = 1 / own**2 + 1 / (0.06**2 / 3)
            names = ("noll_5_waves", "noll_6_waves")
            columns = dict(zip(names, said / own**2 / precision, strict=True))
            columns |= {f"sigma_{name}": np.full(50, precision**-0.5) for name in names}
            reports.append(pupil.take({name: c.astype("f4") for name, c in columns.items()}, np.full(50, frame)))
    first, last = (report for report in reports if report is not None)
    assert first.waves[3:5] == pytest.approx([0.01, 0.01], abs=0.006)
    assert last.waves[3:5] == pytest.approx([0.05, 0.05], abs=0.006)
    assert not first.waves[5:].any()
    assert first.facts["sigma"][3] == pytest.approx(np.hypot(0.001, first.facts["sigma"][4]), rel=0.1)
    assert first.in_words.startswith("wavefront as at the start")
    assert last.facts["change_waves"] == pytest.approx(0.04 * 2**0.5, abs=0.008)
    assert "changed by" in last.in_words
    assert last.facts["source"] == "crops"
    assert last.facts["molecules"] == MOLECULES
