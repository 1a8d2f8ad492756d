"""Molecules against the sample space: silent on matched ones, and each way out of it named."""

import numpy as np
import pytest

from models.guard.coverage.coverage import Coverage
from models.guard.coverage.edges import END, edges
from models.localizations import Localizations
from models.sample_space import LOCALIZER_2D, LOCALIZER_3D, SampleSpace
from tests.models.guard.coverage.samples import BATCH, SIDE_NM, Sample, scaled

REFERENCE = {"sigma_x_nm": (5.0, 30.0)}


def watched(sample: Sample, batches: int, space: SampleSpace) -> Coverage:
    coverage = Coverage(space, SIDE_NM, SIDE_NM, REFERENCE)
    for _ in range(batches):
        coverage.take(*sample.batch())
    return coverage


@pytest.mark.parametrize("space", [LOCALIZER_2D, LOCALIZER_3D])
@pytest.mark.parametrize("on_frames", [1.0, 7.0])
def test_nothing_is_said_of_molecules_as_in_the_training(space: SampleSpace, on_frames: float) -> None:
    sample, coverage = Sample(space, on_frames=on_frames), Coverage(space, SIDE_NM, SIDE_NM, REFERENCE)
    for _ in range(600):
        coverage.take(*sample.batch())
        assert coverage.findings() == []


def moved(columns: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    columns["z_nm"] += 300.0


@pytest.mark.parametrize(
    ("change", "name", "word", "said"),
    [
        (scaled("photons", 5), "photons", "outside", "have more than 10,000 photons"),
        (scaled("background", 4, 100), "background", "outside", "pile up at"),
        (scaled("photons", 0.1), "photons", "outside", "less than 300 photons"),
        (scaled("background", 4), "background", "outside", "more than 100 photo-electrons/pixel"),
        (scaled("background", 0.2), "background", "drifting", "less than 1 photo-electrons/pixel"),
        (scaled("sigma_x_nm", 2), "sigma_x_nm", "outside", "more than 30 of sigma_x_nm"),
        (moved, "z above", "drifting", "more than 600 nm of height"),
    ],
)
def test_molecules_beyond_the_training_are_named(change, name: str, word: str, said: str) -> None:
    (finding,) = watched(Sample(LOCALIZER_3D, change=change), 60, LOCALIZER_3D).findings()
    assert (finding.name, finding.word) == (name, word)
    assert said in finding.cause


def test_heights_that_pile_up_at_the_end_are_named_though_none_is_beyond() -> None:
    (finding,) = watched(Sample(LOCALIZER_3D, change=scaled("z_nm", 1.5, 600)), 60, LOCALIZER_3D).findings()[:1]
    assert "pile up at" in finding.cause or "less than -600" in finding.cause


def test_density_and_on_time() -> None:
    dense = watched(Sample(LOCALIZER_2D, per_frame=4 * 164), 70, LOCALIZER_2D).findings()
    assert [(one.name, one.word) for one in dense] == [("density", "outside")]
    assert dense[0].evidence["density_per_um2"] == pytest.approx(4, rel=0.1)
    long = watched(Sample(LOCALIZER_2D, on_frames=40), 250, LOCALIZER_2D).findings()
    assert [one.name for one in long] == ["on-time"]
    assert long[0].evidence["on_time_frames"] > 16
    short = watched(Sample(LOCALIZER_2D, on_frames=0.01), 40, LOCALIZER_2D).findings()
    assert [one.name for one in short] == ["on-time"]


def test_a_molecule_that_stays_counts_once() -> None:
    """Some bright beads for ever are no sample of bright molecules."""
    index = np.arange(BATCH)
    coverage = Coverage(LOCALIZER_2D, SIDE_NM, SIDE_NM, {})
    for k in range(50):
        place = np.tile(np.arange(5) * 1000.0, BATCH)
        columns = {"x_nm": place, "y_nm": place, "photons": np.full(len(place), 5e4)}
        table = Localizations({"frame": np.repeat(index, 5) + k * BATCH, **columns})
        coverage.take(table, index + k * BATCH)
    assert all(one.name != "photons" for one in coverage.findings())


def test_ends_that_mean_nothing_are_not_watched() -> None:
    watched_ends = {(edge.name, edge.sign): edge for edge in edges(LOCALIZER_2D, {})}
    assert ("background", -1) not in watched_ends
    assert watched_ends["photons", 1].counted == pytest.approx(10_000 * 100**-END)
    assert watched_ends["photons", -1].counted == 100
    assert {edge.column for edge in edges(SampleSpace({}), REFERENCE)} == {"sigma_x_nm"}


def test_batches_without_molecules_and_without_frames() -> None:
    coverage = Coverage(LOCALIZER_3D, SIDE_NM, SIDE_NM, REFERENCE)
    none = Localizations({name: np.zeros(0) for name in ("frame", "x_nm", "y_nm", "photons")})
    coverage.take(none, np.arange(16))
    coverage.take(none, np.zeros(0, np.int64))
    assert coverage.findings() == []
