"""Where there is no light nothing is computed, and elsewhere the answer is that of whole frames."""

from contextlib import closing
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from stream.config import EngineSettings
from stream.engine import Arrays
from stream.engines import open_engine
from stream.engines.active_tiles import ActiveTiles
from stream.engines.activity import TILE_PX, Activity
from stream.engines.tiles import WORTH, Part, parts
from stream.errors import EngineFault, ModelError
from stream.zoo import find
from tests.contracts_engine import CAMERA, EngineContract, answers, shifted

MODEL = find("2d-fast")
ACTIVE, ALL = EngineSettings(threads=1, tiles="active"), EngineSettings(threads=1)
HEIGHT, WIDTH = 394, 450  # no multiples of what networks pad to, nor of a tile


class TestActiveTiles(EngineContract):
    settings = ACTIVE

    def test_a_graph_of_known_shapes_says_the_same(self, static_model: Path) -> None:
        """Rectangles have all kinds of shapes."""
        with pytest.raises(ModelError, match='tiles = "active" with model'):
            open_engine(static_model, self.settings)


def maps(shape: tuple[int, int], threshold: float = 0.6) -> Arrays:
    values = {"offset": CAMERA.offset_adu, "gain": CAMERA.adu_per_photo_electron, "variance": CAMERA.variance_e2}
    planes: Arrays = {name: np.full(shape, value, np.float32) for name, value in values.items()}
    return planes | {"excess": np.ones((), np.float32), "threshold": np.full((), threshold, np.float32)}


def molecules(where: list[tuple[float, float]], frames: int = 5, photons: float = 2000) -> np.ndarray:
    """Return (t, y, x) ADU with molecules at these (y, x), which shine in the frames in the middle."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    light = sum(np.exp(-((y - at_y) ** 2 + (x - at_x) ** 2) / (2 * 1.3**2)) for at_y, at_x in where)
    expected = np.full((frames, HEIGHT, WIDTH), 10.0)
    expected[1:-1] += photons / (2 * np.pi * 1.3**2) * light
    return CAMERA.expose(expected, np.random.default_rng(4))


PLACES = [
    [(30.2, 40.7), (33.0, 52.4)],  # in a corner
    [(200.3, 128.0), (191.9, 100.1)],  # on the border of a tile
    [(392.4, 448.9), (10.3, 440.4), (200.6, 20.4)],  # at three edges
    [(100.4, 200.3), (100.6, 330.4), (250.5, 260.3)],  # two tiles apart
]


@pytest.mark.parametrize("where", PLACES)
def test_rows_are_those_of_whole_frames_to_the_bit(where: list[tuple[float, float]]) -> None:
    """Elsewhere is noise."""
    pixels, found = molecules(where), []
    for settings in (ALL, ACTIVE):
        with closing(open_engine(MODEL, settings)) as engine:
            found.append(answers(engine.plan(maps((HEIGHT, WIDTH))), pixels, [2, 3]))
    whole, active = found
    shone = parts(Activity(maps((HEIGHT, WIDTH))).of(pixels), (HEIGHT, WIDTH), 64, 4)
    x, y = whole[:, 1], whole[:, 2]
    whole = whole[np.any([(x >= p.x) & (x < p.x_end) & (y >= p.y) & (y < p.y_end) for p in shone], axis=0)]
    assert len(whole) >= 3 * len(where)
    np.testing.assert_array_equal(active, whole)


def test_only_what_shines_is_computed() -> None:
    sizes = []
    with closing(open_engine(MODEL, ALL)) as engine:

        def run(inputs: Arrays) -> Arrays:
            sizes.append(inputs["frames"].shape)
            return engine.run(inputs)

        locate = ActiveTiles(run, engine.card, maps((HEIGHT, WIDTH)))
        assert len(locate(molecules([])[:2], True).table) == 0
        assert sizes == []
        assert len(locate(molecules([(200.4, 200.6)]), True).table) == 3
    assert sizes == [(6, 192, 192)]  # a tile, and as much on each side as its pixels depend on


def test_a_frame_that_is_full_is_computed_in_one_piece() -> None:
    active = np.ones((7, 8), np.bool_)
    active[2, 3] = False
    assert parts(active, (HEIGHT, WIDTH), 64, 4) == [Part(0, HEIGHT, 0, WIDTH)]
    assert parts(np.zeros((7, 8), np.bool_), (HEIGHT, WIDTH), 64, 4) == []


@given(
    arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9), elements=st.booleans()),
    st.tuples(st.integers(1, TILE_PX), st.integers(1, TILE_PX)),
)
def test_every_active_tile_is_in_one_rectangle(active: np.ndarray, last: tuple[int, int]) -> None:
    shape = tuple((side - 1) * TILE_PX + rest for side, rest in zip(active.shape, last, strict=True))
    found = parts(active, shape, 64, 4)
    seen = np.zeros(shape, int)
    for part in found:
        seen[part.y : part.y_end, part.x : part.x_end] += 1
    assert seen.max(initial=0) <= 1
    assert not any(one.meets(other) for one, other in combinations(found, 2))
    for row, column in np.argwhere(active):
        assert seen[row * TILE_PX : (row + 1) * TILE_PX, column * TILE_PX : (column + 1) * TILE_PX].all()
    grown = [part.grown(64, 4, shape) for part in found]
    assert len(found) == 1 or sum(part.area_px for part in grown) <= WORTH * shape[0] * shape[1]
    for part, core in zip(grown, found, strict=True):
        for low, high, near, far, side in (
            (part.y, part.y_end, core.y, core.y_end, shape[0]), (part.x, part.x_end, core.x, core.x_end, shape[1])
        ):  # fmt: skip
            assert low % 4 == 0
            assert low <= max(near - 64, 0)
            assert high >= min(far + 64, side)
            assert high == side or high % 4 == 0


def test_noise_is_no_light_and_a_dim_molecule_is() -> None:
    """Also in the corners, where few pixels stand for many."""
    look = Activity(maps((HEIGHT, WIDTH)))
    assert not look.of(molecules([], frames=24)).any()
    active = look.of(molecules([(100.0, 200.0)], photons=250))
    assert np.argwhere(active).tolist() == [[1, 3]]


def test_light_beside_a_border_is_in_both_tiles() -> None:
    active = Activity(maps((HEIGHT, WIDTH))).of(molecules([(127.5, 160.0)]))
    assert np.argwhere(active).tolist() == [[1, 2], [2, 2]]


def test_a_pixel_that_is_known_to_be_noisy_is_no_light() -> None:
    calibration, frames = maps((HEIGHT, WIDTH)), molecules([], frames=2)
    frames[0, 50, 60] += 200
    assert Activity(calibration).of(frames).any()
    calibration["variance"][50, 60] = 1e4
    assert not Activity(calibration).of(frames).any()


def test_it_begins_anew() -> None:
    with closing(open_engine(MODEL, ACTIVE)) as engine:
        plan, pixels = engine.plan(maps((HEIGHT, WIDTH))), molecules([(100.0, 200.0)])
        slots = [plan.submit(pixels, anew=True) for _ in range(2)]
        one, other = (shifted(plan.wait(slot), 0) for slot in slots)
    np.testing.assert_array_equal(one, other)


def test_frames_of_another_shape_are_a_fault() -> None:
    with closing(open_engine(MODEL, ACTIVE)) as engine:
        plan = engine.plan(maps((HEIGHT, WIDTH)))
        with pytest.raises(EngineFault, match=r"frames are uint16\(2, 20, 20\)"):
            plan.wait(plan.submit(np.zeros((2, 20, 20), np.uint16), anew=True))


def test_a_model_that_does_not_say_how_far_pixels_reach() -> None:
    with pytest.raises(ModelError, match="with model 'localizer-2d'") as error:
        open_engine(find("localizer-2d"), ACTIVE)
    assert "reach_px" in error.value.limit
    assert 'tiles = "all"' in error.value.remedy


def test_a_file_that_is_damaged_is_named_as_without_tiles(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot load model"):
        open_engine(tmp_path / "none.onnx", ACTIVE)
