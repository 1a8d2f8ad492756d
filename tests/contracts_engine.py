"""What every engine must do. An engine's test is a small subclass that says how it is asked for."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from export.card import METADATA_KEY, Card
from models.camera import Camera
from stream import zoo
from stream.config import EngineSettings
from stream.engine import Arrays, Engine, Plan, Rows
from stream.engines import open_engine
from stream.errors import EngineFault, ModelError

HEIGHT, WIDTH = 50, 46  # not a multiple of what networks pad to
CAMERA = Camera(offset_adu=100, gain_adu_per_e=2.0, read_noise_e=1.5)


def spots(frames: int, seed: int = 3) -> np.ndarray:
    """Return (t, y, x) uint16 ADU: four bright molecules in each frame, elsewhere in each."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    expected = np.full((frames, HEIGHT, WIDTH), 10.0)
    for image in expected:
        for at_y, at_x in zip(rng.uniform(6, HEIGHT - 6, 4), rng.uniform(6, WIDTH - 6, 4), strict=True):
            image += 3000 / (2 * np.pi * 1.3**2) * np.exp(-((y - at_y) ** 2 + (x - at_x) ** 2) / (2 * 1.3**2))
    return CAMERA.expose(expected, rng)


MODEL = zoo.find("2d-fast")


def changed(folder: Path, card: str | None) -> Path:
    """Return the model with another card; None for no card at all."""
    model = onnx.load(MODEL)
    kept = [entry for entry in model.metadata_props if entry.key != METADATA_KEY]
    model.ClearField("metadata_props")
    model.metadata_props.extend(kept)
    if card is not None:
        onnx.helper.set_model_props(model, {METADATA_KEY: card})
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def calibration(card: Card) -> Arrays:
    """Return what stays the same from batch to batch."""
    shape = (HEIGHT, WIDTH)
    return {
        "offset": np.full(shape, CAMERA.offset_adu, np.float32),
        "gain": np.full(shape, CAMERA.adu_per_photo_electron, np.float32),
        "variance": np.full(shape, CAMERA.variance_e2, np.float32),
        "excess": np.asarray(CAMERA.excess, np.float32),
        "threshold": np.asarray(card.threshold, np.float32),
    }


def answers(plan: Plan, pixels: np.ndarray, sizes: list[int]) -> np.ndarray:
    """Return what a plan finds in frames that come in batches of these sizes, with the frame in front, in order."""
    waiting, found, at = [], [], 0
    handed = np.empty((max(sizes), *pixels.shape[1:]), np.uint16)
    for size in sizes:
        if len(waiting) == plan.slots:
            found.append(shifted(plan.wait(waiting[0][0]), waiting.pop(0)[1]))
        handed[:size] = pixels[at : at + size]
        waiting.append((plan.submit(handed[:size], anew=at == 0), at))
        handed[:] = 0  # it is the ring's, which goes on at once
        at += size
    return np.concatenate(found + [shifted(plan.wait(slot), at) for slot, at in waiting])


def shifted(rows: Rows, before: int) -> np.ndarray:
    """Return the table of a batch that began after so many frames, with the frame in front, in order."""
    every = np.column_stack((rows.frame + max(before - 1, 0), rows.table))
    return every[np.lexsort((every[:, 2], every[:, 1], every[:, 0]))]


class EngineContract:
    """Subclasses say how it is asked for."""

    settings: EngineSettings
    batch_matters = 0.0
    """How far, relatively, the answer for a frame may depend on what else is in its batch; 0: not by a bit."""

    def assert_same(self, found: np.ndarray, wanted: np.ndarray) -> None:
        np.testing.assert_allclose(found, wanted, rtol=self.batch_matters, atol=self.batch_matters)

    @pytest.fixture
    def engine(self):
        engine = open_engine(MODEL, self.settings)
        yield engine
        engine.close()

    def inputs(self, engine: Engine, pixels: np.ndarray, context: np.ndarray | None = None) -> Arrays:
        card, shape = engine.card, (HEIGHT, WIDTH)
        padded = [-(-side // card.multiple_px) * card.multiple_px // 2 for side in shape]
        none = np.zeros((2, card.features, *padded), np.float32)
        return {"frames": pixels, **calibration(card), "context": none if context is None else context}

    def table(self, outputs: Arrays) -> np.ndarray:
        """Return the filled rows with the frame in front, in the order of frame, then position."""
        count = int(outputs["count"])
        rows = np.column_stack((outputs["frame"][:count], outputs["table"][:count]))
        return rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]

    def test_the_molecules_are_found(self, engine: Engine) -> None:
        rows = self.table(engine.run(self.inputs(engine, spots(8))))
        assert 0.7 * 4 * 7 < len(rows) < 1.3 * 4 * 7  # the first row of a batch is of the frame before, here a blank

    def test_inputs_and_outputs_are_those_of_the_card(self, engine: Engine) -> None:
        inputs = self.inputs(engine, spots(3))
        assert [port.name for port in engine.card.inputs] == list(inputs)
        outputs = engine.run(inputs)
        for port in engine.card.outputs:
            assert outputs[port.name].dtype == port.dtype
            assert outputs[port.name].ndim == len(port.axes)

    def test_the_same_input_gives_the_same_bytes(self, engine: Engine) -> None:
        inputs = self.inputs(engine, spots(4))
        one, other = engine.run(inputs), engine.run(inputs)
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name])

    @pytest.mark.parametrize("cut", [1, 3, 5])
    def test_the_table_does_not_depend_on_how_frames_are_cut(self, engine: Engine, cut: int) -> None:
        pixels = spots(6)
        whole = self.table(engine.run(self.inputs(engine, pixels)))
        first = engine.run(self.inputs(engine, pixels[:cut]))
        second = engine.run(self.inputs(engine, pixels[cut:], first["context_out"]))
        rows = self.table(second)
        rows[:, 0] += cut
        self.assert_same(np.concatenate((self.table(first), rows)), whole)

    def test_it_changes_nothing_of_its_inputs(self, engine: Engine) -> None:
        inputs = self.inputs(engine, spots(2))
        for values in inputs.values():
            values.flags.writeable = False
        engine.run(inputs)

    @pytest.mark.parametrize("wrong", [np.zeros((2, 20, 20), "u2"), np.zeros((2, HEIGHT, WIDTH), "f4")])
    def test_wrong_frames_are_a_fault_that_names_them(self, engine: Engine, wrong: np.ndarray) -> None:
        with pytest.raises(EngineFault) as error:
            engine.run(self.inputs(engine, wrong))
        assert f"{wrong.dtype}{wrong.shape}" in error.value.limit
        assert len(self.table(engine.run(self.inputs(engine, spots(3))))) > 4  # and the next batch is none the worse

    def test_a_plan_answers_for_batches_under_way_what_all_frames_at_once_give(self, engine: Engine) -> None:
        pixels = spots(12)
        inputs = self.inputs(engine, pixels)
        first = engine.run(inputs | {"frames": pixels[:1]})["context_out"]
        whole = self.table(engine.run(inputs | {"frames": pixels[1:], "context": np.repeat(first[1:], 2, axis=0)}))
        plan = engine.plan(calibration(engine.card))
        self.assert_same(answers(plan, pixels, [1, 1, 5, 3, 2]), whole)

    def test_a_plan_may_begin_anew(self, engine: Engine) -> None:
        plan, pixels = engine.plan(calibration(engine.card)), spots(4)
        one, other = (plan.submit(pixels, anew=True) for _ in range(2))
        again, same = (shifted(plan.wait(slot), 0) for slot in (one, other))
        np.testing.assert_array_equal(again, same)
        assert set(again[:, 0]) <= {0, 1, 2}
        assert len(again) > 4

    def test_a_fault_of_a_batch_is_told_by_its_slot_and_the_next_is_none_the_worse(self, engine: Engine) -> None:
        plan = engine.plan(calibration(engine.card))
        wrong, right = plan.submit(np.zeros((2, 20, 20), np.uint16), anew=True), plan.submit(spots(4), anew=True)
        with pytest.raises(EngineFault):
            plan.wait(wrong)
        assert len(plan.wait(right).table) > 4

    @pytest.mark.parametrize("sizes", [[1, 1, 5, 3, 2], [12], [40], [2, 35, 3]])
    def test_a_graph_of_known_shapes_says_the_same(self, engine: Engine, static_model: Path, sizes: list[int]) -> None:
        """Batches are filled up to the next size, and cut above the largest."""
        static = open_engine(static_model, self.settings)
        pixels, maps = spots(sum(sizes)), calibration(engine.card)
        found, wanted = (answers(one.plan(maps), pixels, sizes) for one in (static, engine))
        static.close()
        assert len(wanted) > len(pixels)
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)

    def test_a_file_in_float16_says_nearly_the_same(self, engine: Engine, half_model: Path) -> None:
        half = open_engine(half_model, self.settings)
        inputs = self.inputs(engine, spots(6))
        found, wanted = (self.table(one.run(inputs)) for one in (half, engine))
        half.close()
        np.testing.assert_allclose(
            found[:, 1:3], wanted[:, 1:3], atol=0.1 if self.settings.precision == "bf16" else 5e-3
        )

    def test_it_says_where_it_runs(self, engine: Engine) -> None:
        assert engine.device

    def test_it_can_be_closed_twice(self, engine: Engine) -> None:
        engine.close()
        engine.close()

    @pytest.mark.parametrize("content", [None, b"", b"not a model"])
    def test_a_file_that_is_no_model(self, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "model.onnx"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ModelError, match=r"cannot load model .*model\.onnx"):
            open_engine(path, self.settings)

    def test_a_model_of_somebody_else(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="carries no LiveSMLM card"):
            open_engine(changed(tmp_path, None), self.settings)

    @pytest.mark.parametrize(
        ("find", "put", "said"),
        [
            ('"format": 1', '"format": 99', "card format 99, this version reads format 1"),
            ('"name": "frames"', '"name": "images"', "the card names ports"),
            ('"look_ahead"', '"look_behind"', "not a model card: .*look_behind"),
            ('"sample_space"', '"sample"', "not a model card: it says nothing of 'sample_space'"),
        ],
    )
    def test_a_card_that_does_not_fit(self, tmp_path: Path, find: str, put: str, said: str) -> None:
        text = next(entry.value for entry in onnx.load(MODEL).metadata_props if entry.key == METADATA_KEY)
        assert find in text
        with pytest.raises(ModelError, match=said):
            open_engine(changed(tmp_path, text.replace(find, put, 1)), self.settings)
