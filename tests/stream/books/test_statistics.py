"""What is said of molecules is true of tables that were made with known numbers."""

import numpy as np
import pytest

from models.local_density import CellCounts
from models.localizations import Localizations, empty
from models.sample_space import LOCALIZER_2D, LOCALIZER_3D
from models.stays import Stays
from stream.books.apparent_width import apparent_sigma_nm
from stream.books.bins import Bins
from stream.books.statistics import INTERVALS, Statistics
from stream.frame import StreamInfo
from stream.stages.stage import Located

SIDE_PX, PIXEL_NM = 200, 100.0
SIDE_NM = SIDE_PX * PIXEL_NM


def located(rng, first, frames=16, per_frame=20, z_nm=None, spot_nm=130.0, photons=1000.0, background=10.0) -> Located:
    """Molecules all over the field, with the uncertainties of Gaussian spots at the bound."""
    count = frames * per_frame
    light = photons * rng.lognormal(0, 0.2, count)
    tau = 2 * np.pi * spot_nm**2 * background / (light * PIXEL_NM**2)
    sigma = np.sqrt(spot_nm**2 / light * (1 + 4 * tau + np.sqrt(2 * tau / (1 + 4 * tau))))
    columns = {
        "frame": np.repeat(np.arange(first, first + frames), per_frame),
        "x_nm": rng.uniform(0, SIDE_NM, count), "y_nm": rng.uniform(0, SIDE_NM, count),
        "sigma_x_nm": sigma, "sigma_y_nm": sigma, "photons": light, "background": np.full(count, background),
    }  # fmt: skip
    if z_nm is not None:
        columns["z_nm"] = rng.normal(z_nm, 150, count)
    index = np.arange(first, first + frames)
    return Located(Localizations(columns), index, np.zeros(frames))


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def report_of(statistics, parts):
    """Return the report after some parts, each an interval."""
    for part in parts:
        statistics.add(part)
        report = statistics.report()
    return report


def statistics_of(space=LOCALIZER_2D) -> Statistics:
    return Statistics(StreamInfo(SIDE_PX, SIDE_PX), PIXEL_NM, space)


def test_numbers_and_densities_are_those_of_the_table(rng):
    report = report_of(statistics_of(), [located(rng, 16 * k, per_frame=200) for k in range(7)])
    assert (report["frame"], report["frames"], report["localizations"]) == (111, 80, 16_000)
    assert report["localizations_per_frame"] == 200
    assert report["mean_density_per_um2"] == pytest.approx(200 / 400)
    assert report["density_per_um2"] == pytest.approx(200 / 400, rel=0.05)
    assert report["median"]["photons"] == pytest.approx(1000, rel=0.02)
    assert report["median"]["background"] == 10
    assert sum(report["histograms"]["photons"]["now"]) == report["sampled"] == 16_000
    assert sum(report["histograms"]["photons"]["all"]) == 7 * 3200
    assert report["trained"]["photons"] == (100, 10_000)
    assert report["trained"]["background"] == (0, 200)


def test_density_is_that_where_molecules_are(rng):
    cells = CellCounts(SIDE_NM, SIDE_NM)
    count = 50_000
    quarter = {"x_nm": rng.uniform(0, SIDE_NM / 2, count), "y_nm": rng.uniform(0, SIDE_NM / 2, count)}
    cells.add(Localizations({"frame": np.repeat(np.arange(1000), 50), **quarter}))
    assert cells.density_per_um2(1000) == pytest.approx(50 / 100, rel=0.02), "not 50 in 400 square micrometres"


@pytest.mark.parametrize("on_frames", [0.7, 2.0, 6.0])
def test_on_time_is_that_of_the_stays(rng, on_frames):
    """Molecules that begin at any time and are seen in each frame that they touch."""
    count, frames = 40_000, 400
    begin = rng.uniform(0, frames, count)
    end = begin + rng.exponential(on_frames, count)
    seen = np.floor(end).astype(int) - np.floor(begin).astype(int) + 1
    rows = np.repeat(np.arange(count), seen)
    frame = np.floor(begin)[rows] + np.concatenate([np.arange(n) for n in seen])
    place = rng.uniform(0, 100_000, (2, count))
    order = np.argsort(frame, kind="stable")
    columns = {"frame": frame[order], "x_nm": place[0][rows[order]], "y_nm": place[1][rows[order]]}
    table, stays = Localizations(columns), Stays()
    for first in range(50, 350, 16):
        stays += _looked_at(table.where((table["frame"] >= first) & (table["frame"] < first + 16)))
    assert stays.on_time_frames == pytest.approx(on_frames, rel=0.1)


def _looked_at(table):
    stays = Stays()
    stays.add(table)
    return stays


@pytest.mark.parametrize("spot_nm", [90.0, 130.0, 250.0])
@pytest.mark.parametrize("background", [0.0, 10.0, 300.0])
def test_the_width_of_spots_is_found_from_their_uncertainty(rng, spot_nm, background):
    table = located(rng, 0, spot_nm=spot_nm, background=background).table
    width = apparent_sigma_nm(table["sigma_x_nm"], table["photons"], table["background"], PIXEL_NM)
    assert width == pytest.approx(spot_nm, rel=0.01)


def test_the_start_is_kept_and_spots_are_held_against_it(rng):
    statistics = statistics_of()
    early = report_of(statistics, [located(rng, 16 * k, per_frame=30) for k in range(INTERVALS + 2)])
    assert early["start"]["photons"] == pytest.approx(1000, rel=0.02)
    assert early["start"]["spot_sigma_nm"] == pytest.approx(130, rel=0.02)
    late = report_of(statistics, [located(rng, 160 + 16 * k, per_frame=30, spot_nm=160) for k in range(INTERVALS)])
    assert late["start"] == early["start"]
    assert late["median"]["spot_sigma_nm"] == pytest.approx(160, rel=0.02)
    assert late["spots"] > 100


def test_in_depth_there_are_heights(rng):
    report = report_of(statistics_of(LOCALIZER_3D), [located(rng, 16 * k, z_nm=80) for k in range(3)])
    assert report["median"]["z_nm"] == pytest.approx(80, abs=20)
    assert report["trained"]["z_nm"] == (-600, 600)


def test_nothing_and_little_are_no_trouble(rng):
    statistics = statistics_of()
    nothing = Located(empty(), np.arange(0), np.zeros(0))
    assert report_of(statistics, [nothing])["localizations_per_frame"] is None
    dark = Located(empty(), np.arange(16), np.zeros(16))
    report = report_of(statistics, [dark])
    assert (report["localizations_per_frame"], report["density_per_um2"], report["median"]) == (0, None, {})
    one = located(rng, 16, frames=1, per_frame=1)
    report = report_of(statistics, [one])
    assert (report["sampled"], report["on_time_frames"], report["start"]) == (1, None, {})
    for _ in range(INTERVALS):
        report = report_of(statistics, [nothing])
    assert (report["frames"], report["median"]) == (0, {}), "what is older than the window is forgotten"


def test_positions_that_are_not_finite_do_not_stop_a_run():
    bad = np.array([np.nan, np.inf, -50.0, 1e9])
    columns = {"frame": np.zeros(4), "x_nm": bad, "y_nm": bad, "photons": bad, "background": bad}
    report = report_of(statistics_of(), [Located(Localizations(columns), np.arange(1), np.zeros(1))])
    assert report["localizations"] == 2, "those that have a place"


def test_many_rows_are_sampled(rng):
    statistics = statistics_of()
    report = report_of(statistics, [located(rng, 0, frames=16, per_frame=1000)])
    assert (report["localizations"], report["sampled"]) == (16_000, 4000)


def test_bins_count_everything_once():
    bins = Bins(1, 100, 2, logarithmic=True)
    assert bins.count_in(np.array([0.0, 1, 9.9, 10.1, 100, 1e6, np.nan])).tolist() == [3, 3]
    assert Bins(-10, 10, 4).count_in(np.array([-11.0, -6, -5, 0, 9])).tolist() == [2, 1, 1, 1]
