"""The mean residual: flat within its errors where all is as in the training, else the picture of what has changed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.camera import Camera
from models.guard.molecules.mean_residual import ENOUGH, MeanResidual
from models.guard.molecules.measures import OWN, Seen, look
from models.guard.molecules.optics import Change, KnownOptics
from models.guard.molecules.residual_image import BINS, FARTHEST, MARGIN_PX, ResidualImage
from models.guard.molecules.sequential import FADING
from models.guard.molecules.subject import WINDOW_PX, InDepth, InFocus
from models.guard.molecules.templates import NOLL
from models.localizations import Localizations
from tests.models.guard.molecules.conftest import HALF_NM, PIXEL_NM

Molecules = tuple[np.ndarray, np.ndarray, Localizations]
COMA_WAVES = 0.1
SIDE = WINDOW_PX - 2 * MARGIN_PX


@pytest.fixture(scope="module")
def see(draw: Callable[..., Molecules], subject: InDepth, camera: Camera) -> Callable[..., Seen]:
    """Return what is seen of molecules that are drawn as the arguments say."""
    templates = subject.templates()

    def see(*arguments, **named) -> Seen:
        counts, frame, table = draw(*arguments, **named)
        return look(counts, frame, table, np.arange(len(table)), subject.optics(camera), templates)

    return see


@pytest.fixture
def image(subject: InDepth, camera: Camera) -> ResidualImage:
    return ResidualImage(subject.optics(camera))


def shown(image: ResidualImage, seen: Seen) -> MeanResidual:
    image.take(seen)
    found = image.mean()
    assert found is not None
    return found


def some(seen: Seen, rows) -> Seen:
    return Seen(*(getattr(seen, name)[rows] for name in Seen.__slots__))


def test_matched_molecules_leave_a_picture_that_is_flat_within_its_errors(image: ResidualImage, see) -> None:
    found = shown(image, see(1200, seed=40))
    observed, expected, difference, error = found.images[:, 1:-1]  # none lie at the ends of the depth
    deviations = difference / error
    assert np.sqrt((deviations**2).mean()) == pytest.approx(1, abs=0.1)
    assert np.abs(deviations).max() < 4.5
    assert 0.002 < error.max() < 0.02, "of the peak"
    np.testing.assert_allclose(observed, expected + difference, atol=1e-6)
    assert expected.max((1, 2)) == pytest.approx([1, 1, 1])
    assert np.unravel_index(expected[1].argmax(), (SIDE, SIDE)) == (SIDE // 2, SIDE // 2)


def test_the_errors_are_how_far_pictures_of_other_molecules_scatter(subject: InDepth, camera: Camera, see) -> None:
    seen, many = see(1500, seed=41), []
    for part in np.array_split(np.arange(1500), 10):
        image = ResidualImage(subject.optics(camera))
        many.append(shown(image, some(seen, part)).images[:, BINS // 2])
    difference, error = np.array(many)[:, 2], np.array(many)[:, 3]
    assert difference.std(0).mean() == pytest.approx(error.mean(), rel=0.1)


@pytest.mark.parametrize(("waves", "least"), [(0.1, 0.8), (0.03, 0.93)])
def test_coma_looks_like_coma(image: ResidualImage, see, known: KnownOptics, waves: float, least: float) -> None:
    """Against exact spots, without the part that place, light and background of a molecule take up."""
    found = shown(image, see(600, Change(NOLL["coma along x"], waves), seed=42))
    for k, z_nm in enumerate(found.z_nm[1:-1], 1):
        difference = found.images[2, k].ravel()
        like = {
            (name, sign): np.corrcoef(difference, _across(known, Change(j, sign * waves), z_nm))[0, 1]
            for name, j in NOLL.items() for sign in (1, -1)
        }  # fmt: skip
        assert max(like, key=like.__getitem__) == ("coma along x", 1)
        assert like["coma along x", 1] > least
        assert np.abs(difference / found.images[3, k].ravel()).max() > 8


def _across(known: KnownOptics, change: Change, z_nm: float) -> np.ndarray:
    """Return how the image changes, (pixels,), less what is explained by the molecule's own place and light."""

    def spot(change: Change, **moved: float) -> np.ndarray:
        place = np.array([[moved.get("x", 0.0), moved.get("y", 0.0), z_nm + moved.get("z", 0.0)]])
        return np.asarray(known.exact(change, SIDE)(place)).ravel()

    none, grid = Change(), np.linspace(-1, 1, SIDE)
    y, x = (part.ravel() for part in np.meshgrid(grid, grid, indexing="ij"))
    moved = [spot(none, **{axis: 5.0}) - spot(none, **{axis: -5.0}) for axis in "xyz"]
    own = np.stack([*moved, spot(none), np.ones_like(x), x, y])
    assert len(own) == OWN
    weight = 1 / np.sqrt(2000 * spot(none) + 11)
    changed = (spot(change) - spot(none)) * weight
    rest = changed - np.linalg.lstsq((own * weight).T, changed, rcond=None)[0] @ (own * weight)
    return rest / weight


def test_bins_cover_the_depth_with_one_in_focus(image: ResidualImage, see, subject: InDepth) -> None:
    found = shown(image, see(300, seed=43))
    assert found.z_nm == pytest.approx(np.array([-0.8, -0.4, 0, 0.4, 0.8]) * subject.spline.z_nm[1], abs=0.1)
    assert str(found.z_nm[2]) == "0.0"
    assert subject.spline.z_nm[1] == pytest.approx(HALF_NM + 51)
    assert found.pixel_nm == PIXEL_NM
    assert sum(found.molecules) == pytest.approx(300, rel=0.1)
    scarce = np.array(found.molecules) < ENOUGH
    np.testing.assert_array_equal(np.isnan(found.images).any((0, 2, 3)), scarce)
    assert found.images.shape == (4, BINS, SIDE, SIDE)


def test_too_few_molecules_are_not_shown(image: ResidualImage, see) -> None:
    seen = see(60, seed=44)
    middle = np.flatnonzero(np.abs(seen.conditions[:, 2] - 0.5) < 0.1)
    image.take(some(seen, middle[: ENOUGH - 1]))
    assert image.mean() is None


def test_what_was_seen_long_ago_fades(image: ResidualImage, see) -> None:
    before, after = see(400, Change(NOLL["coma along x"], COMA_WAVES), seed=45), see(400, seed=46)
    strongest = np.abs(shown(image, before).images[2, BINS // 2]).max()
    for _ in range(3 * FADING // 400):
        found = shown(image, after)
    assert np.abs(found.images[2, BINS // 2]).max() < 0.5 * strongest
    assert sum(found.molecules) == pytest.approx(FADING, rel=0.15)


def test_fits_that_failed_or_ran_away_leave_nothing(image: ResidualImage, see) -> None:
    seen = see(200, seed=47)
    residual, off = seen.residual.copy(), seen.off_px.copy()
    residual[0], off[1], off[2] = np.nan, np.nan, MARGIN_PX + 0.1
    found = shown(image, replace(seen, residual=residual, off_px=off))
    assert sum(found.molecules) == pytest.approx(197, rel=0.01)
    assert np.isfinite(found.images[:, BINS // 2]).all()


def test_a_neighbour_that_was_not_found_counts_no_more_than_its_limit(subject: InDepth, camera: Camera, see) -> None:
    seen, optics = see(200, seed=48), subject.optics(camera)
    residual = seen.residual.copy()
    residual[np.argmin(np.abs(seen.conditions[:, 2] - 0.5)), :30] = 1000.0
    pictures = []
    for shining in (seen.residual, residual, np.minimum(residual, FARTHEST)):
        pictures.append(shown(ResidualImage(optics), replace(seen, residual=shining)).images[2, BINS // 2])
    np.testing.assert_allclose(pictures[1], pictures[2], atol=1e-6)
    assert 0.001 < np.abs(pictures[1] - pictures[0]).max() < 0.05


def test_in_focus_there_is_one_bin_for_all_widths(camera: Camera) -> None:
    image = ResidualImage(InFocus().optics(camera))
    rng, window = np.random.default_rng(49), InFocus().spline.window_px
    n, pixels = 50, window**2
    nothing = np.zeros((n, 1))
    seen = Seen(
        nothing, rng.uniform(0, 1, (n, 5)), nothing, nothing, rng.normal(size=(n, pixels)).astype(np.float32),
        rng.uniform(1, 2, (n, pixels)), np.ones((n, pixels)), rng.uniform(-0.5, 0.5, (n, 2)),
    )  # fmt: skip
    found = shown(image, seen)
    assert (found.z_nm, len(found.molecules)) == ((0.0,), 1)
