"""A field is predicted tile by tile: no seam, nothing where nothing was located, as many localizations as there are."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from export.card import Card
from models.predicted.samples import rms, standard, unit
from models.predicted.space import COARSER, PIXEL_NM, PREDICTED, TILE_PX
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.predicted.field import LEAST, Blend, FieldPredictor, shapes_of
from stream.predicted.usual import usual_error

TILE_NM = TILE_PX * PIXEL_NM


def smooth(inputs):
    """Predict what a network without a view of its own would: the counts as they are; all of the light is explained."""
    return {"prediction": unit_each(inputs["sparse"]), "error": 0 * inputs["widefield"]}


def unit_each(images):
    return np.stack([unit(image) for image in images])


def scattered(count: int, side_nm: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    places = np.random.default_rng(seed).uniform(0, side_nm, (2, count)).astype(np.float32)
    return places[0], places[1]


@pytest.mark.parametrize("side_nm", [TILE_NM, 1.5 * TILE_NM, 2.3 * TILE_NM])
def test_what_tiles_agree_on_shows_no_seam(side_nm: float) -> None:
    field = FieldPredictor(smooth, "filaments", side_nm, side_nm)
    field.add(*scattered(40_000, side_nm))
    (height, width), _ = shapes_of(side_nm, side_nm)
    whole = field.predict(np.ones((64, 64)), 100.0)
    counts = np.zeros((height, width))
    x_nm, y_nm = scattered(40_000, side_nm)
    np.add.at(counts, ((y_nm // PIXEL_NM).astype(int), (x_nm // PIXEL_NM).astype(int)), 1)
    np.testing.assert_allclose(whole.image, counts, atol=1e-3)
    assert whole.image.sum() == pytest.approx(field.localizations, rel=1e-4)
    assert whole.error.shape == (-(-height // COARSER), -(-width // COARSER))


def test_what_lies_nowhere_or_outside_is_not_counted() -> None:
    field = FieldPredictor(smooth, "rings", TILE_NM, TILE_NM)
    field.add(np.float32([10, np.nan, -1, TILE_NM, TILE_NM - 1]), np.float32([10, 10, 10, 10, TILE_NM - 1]))
    assert field.localizations == 2


def test_windows_of_tiles_sum_to_one() -> None:
    blend = Blend((3 * 8, 5 * 8), 16)
    for y in range(0, 16, 8):
        for x in range(0, 32, 8):
            blend.add((y, x), np.ones((16, 16), np.float32))
    np.testing.assert_allclose(blend.sum, 1, atol=1e-6)


def test_nothing_is_predicted_where_too_little_was_located(model: Path) -> None:
    with closing(open_engine(model, EngineSettings(threads=1))) as engine:
        field = FieldPredictor(engine.run, "rings", TILE_NM, 3 * TILE_NM)
        x_nm, y_nm = scattered(500, TILE_NM)
        field.add(x_nm, y_nm)
        field.add(x_nm[: LEAST - 1] + 2 * TILE_NM, y_nm[: LEAST - 1])
        bright = np.random.default_rng(0).uniform(100, 200, (52, 154))
        whole = field.predict(bright, 100.0)
    assert not whole.image[:, 2 * TILE_PX :].any()
    assert whole.image[:, : TILE_PX // 2].sum() > 100
    assert len(whole.errors) == 2


def test_one_tile_is_what_the_network_says_of_it(model: Path) -> None:
    with closing(open_engine(model, EngineSettings(threads=1))) as engine:
        field = FieldPredictor(engine.run, "filaments", TILE_NM, TILE_NM)
        x_nm, y_nm = scattered(300, TILE_NM)
        field.add(x_nm, y_nm)
        wide = np.random.default_rng(0).uniform(5, 9, (64, 64)).astype(np.float32)
        whole = field.predict(wide, COARSER * PIXEL_NM)
        sparse = np.zeros((TILE_PX, TILE_PX), np.float32)
        np.add.at(sparse, ((y_nm // PIXEL_NM).astype(int), (x_nm // PIXEL_NM).astype(int)), 1)
        said = engine.run({
            "sparse": standard(sparse)[None], "widefield": unit(wide)[None], "structure": np.float32([[1, 0]])
        })  # fmt: skip
    image = said["prediction"][0]
    np.testing.assert_allclose(whole.image, image * (300 / image.sum()), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(whole.error, said["error"][0], rtol=1e-4, atol=1e-6)
    assert whole.errors == pytest.approx([rms(said["error"][0])], rel=1e-4)


def test_what_is_usual_is_read_from_the_card_by_density() -> None:
    rows = {"300": {"usual_error": 0.4}, "3000": {"usual_error": 0.2}}
    card = Card("n", "t", (), (), (), 0, 0, TILE_PX, 0.0, 0, PREDICTED, scores={"by_frames": rows})
    assert usual_error(card, 8.0) == pytest.approx(0.4)
    assert usual_error(card, 8.0 * 10**0.5) == pytest.approx(0.3)
    assert usual_error(card, 1e4) == pytest.approx(0.2)
    assert usual_error(Card("n", "t", (), (), (), 0, 0, TILE_PX, 0.0, 0, PREDICTED), 8.0) is None
