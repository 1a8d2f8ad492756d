"""Spots of a recorded stack are followed: their light as it was, in the file, in messages, in run.json."""

import json
import threading

import numpy as np
import pytest
import tifffile
import torch
from pyarrow import parquet

import stream
from export.bleaching import DeployedSteps, describe_steps
from export.to_onnx import write
from models.bleaching.photometry import gaussian
from models.bleaching.space import TRACES
from models.camera import Camera
from models.optics.render import render
from models.sample_space import Range
from models.scenes.bleaching import TraceSettings, fluorophores
from models.systems import SYSTEMS
from models.systems.xu_bleaching import StepCounter
from stream import zoo
from stream.bleaching.counting import AT_ONCE, CountingRound
from stream.bleaching.opening import step_counter
from stream.bleaching.photometer import Photometer
from stream.bleaching.record import TraceRecord
from stream.bleaching.settings import TracesSettings
from stream.config import validate
from stream.engines import open_engine
from stream.errors import EngineFault, ModelError
from stream.frame import Batch
from stream.pipeline import Pipeline
from stream.stages.stage import Located
from stream.stages.traces import TraceWatch
from tests.stream.test_alarms_in_a_run import Listener, free_addresses

CAMERA, SPOT = Camera(gain_adu_per_e=2.0, read_noise_e=1.5), gaussian(130, 100)
SIDE, FRAMES, MOST = 64, 150, 64
PLACE = np.array([[x, y, 0.0] for y in (1030.0, 3060, 5090) for x in (1020.0, 2050, 3080, 5010)])
PLACE[1, 0] -= 600  # two spots that overlap


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A step counter that has learned nothing: what is tested here is the way of the traces."""
    torch.manual_seed(1)
    space, path = TRACES.changed(frames=Range(32, MOST)), tmp_path_factory.mktemp("model") / "steps.onnx"
    module = DeployedSteps(StepCounter(8, 64), 1.0)
    write(module, describe_steps(module, space, SYSTEMS["xu-bleaching"].recipe, {}), path)
    return path


def movie(light, moved_nm=0.0):
    """Frames (t, y, x) of spots that shine like (n, t), and move by (t, 3) nm."""
    rng, frame = np.random.default_rng(3), np.zeros(len(PLACE), np.int64)
    moved = np.broadcast_to(moved_nm, (light.shape[1], 3))
    pictures = [render(SPOT, PLACE + moved[k], light[:, k], frame, (1, SIDE, SIDE))[0] for k in range(light.shape[1])]
    return np.stack([CAMERA.expose(picture + 15, rng) for picture in pictures])


def bleaching(frames=FRAMES):
    settings = TraceSettings(frames=frames, photons=800, spread=0.1, bleach_frames=60)
    return fluorophores(np.arange(len(PLACE)) % 3 + 2, settings, np.random.default_rng(2)).expected(frames)


def rig_of(model, folder, addresses):
    return validate({
        "camera": {"pixel_size_nm": 100, "offset_adu": 100, "gain_e_per_adu": 0.5, "read_noise_e": 1.5},
        "source": {"kind": "replay", "path": str(folder / "stack.tif"), "rate": "max"},
        "model": {"name": "localizer-2d"}, "engine": {"threads": 1}, "guard": {"mode": "off"},
        "drift": {"mode": "off"}, "traces": {"model": str(model), "every_s": 0.5},
        "publish": dict(zip(("address", "snapshot_address"), addresses, strict=True)) | {"subscribers": 1},
    }, "a test")  # fmt: skip


def test_light_is_followed_through_a_run(tmp_path, model):
    light, addresses, published = bleaching(), free_addresses(), []
    tifffile.imwrite(tmp_path / "stack.tif", movie(light))

    def follow():
        with stream.subscribe(*addresses, topics=["traces"], timeout_s=60) as messages:
            published.extend(message for message in messages if message.topic == "traces")

    follower = threading.Thread(target=follow)
    follower.start()
    rig, listener = rig_of(model, tmp_path, addresses), Listener()
    outcome = Pipeline(rig, tmp_path / "out", listener).run(open_engine(zoo.find(rig.model.name), rig.engine))
    follower.join(timeout=60)
    assert outcome.state == "finished"
    table = parquet.read_table(tmp_path / "out" / "traces.parquet")
    assert len(table) == len(PLACE)
    found = np.column_stack((table["x_nm"], table["y_nm"]))
    which = np.linalg.norm(PLACE[:, None, :2] - found, axis=2).argmin(0)
    assert sorted(which) == list(range(len(PLACE)))
    measured, sigma = (np.array(table[name].to_pylist()) for name in ("light_e", "sigma_e"))
    each, samples = json.loads(table.schema.metadata[b"livesmlm"])["frames_per_sample"], measured.shape[1]
    assert (each, samples) == (4, FRAMES // 4), "64 samples were full twice"
    true = light[which][:, : each * samples].reshape(len(PLACE), samples, each).mean(2)
    pull = (measured - true) / sigma
    assert abs(pull.mean()) < 0.35
    assert pull.std() == pytest.approx(1, abs=0.2)
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    last = published[-1]
    assert last.payload.shape == (len(PLACE), 4)
    np.testing.assert_array_equal(last.payload[:, 2], table["steps"])
    assert run["traces"]["counted"] == last.header["counted"]
    assert sum(last.header["counted"]) == run["traces"]["spots"] == len(PLACE)
    assert len(last.header["examples"][0]["light_e"]) == samples
    probability = np.column_stack([table[f"probability_{k}"] for k in range(9)])
    np.testing.assert_allclose(probability.sum(1), 1, rtol=1e-5)


def watch_of(model, told, drift=None, frames=MOST):
    engine = step_counter(str(model))
    published = []
    settings = TracesSettings(model=str(model), find_frames=8)
    photometer = Photometer(lambda *_: SPOT, CAMERA, 100, drift)
    watch = TraceWatch(settings, engine, photometer, lambda *one: published.append(one), told.append)
    return watch, engine, published


def localized(index, table_of):
    return Located(table_of(index), index, np.zeros(len(index)))


def rows(index):
    from models.localizations import Localizations

    columns = {"frame": np.repeat(index, len(PLACE)), "photons": np.full(len(index) * len(PLACE), 1000.0)}
    columns |= {name: np.tile(PLACE[:, k], len(index)) for k, name in enumerate(("x_nm", "y_nm"))}
    return Localizations(columns)


def walk(watch, pixels, table_of):
    """The whole run."""
    feed(watch, pixels, table_of)
    watch.finish()


def feed(watch, pixels, table_of):
    """Frames come eight at a time, answers sixteen frames later."""
    none = np.full(8, np.nan)
    for first in range(0, len(pixels), 8):
        index = np.arange(first, first + 8)
        watch.take(Batch(pixels[first : first + 8], index, none, none, none))
        if first >= 16:
            watch.hear(localized(index - 16, table_of))


def test_frames_before_the_spots_are_known_are_measured_and_drift_is_followed(model):
    light, told = np.full((len(PLACE), 48), 2000.0), []
    moved = np.zeros((48, 3))
    moved[:, 0] = np.linspace(0, 200, 48)
    watch, engine, published = watch_of(model, told, drift=lambda frames: moved[frames])
    walk(watch, movie(light, moved), rows)
    engine.close()
    record = watch.record
    assert record is not None
    assert record.frame.tolist() == list(range(48))
    late = record.light_e[:, 24:].mean(1)
    np.testing.assert_allclose(late, 2000, rtol=0.03)
    blind, engine, _ = watch_of(model, told)
    walk(blind, movie(light, moved), rows)
    engine.close()
    assert blind.record is not None
    assert blind.record.light_e[:, 40:].mean() < 1700, "without it light would be lost"
    assert len(published) == 1


def test_too_few_frames_and_no_spot_are_told(model):
    told = []
    watch, engine, published = watch_of(model, told)
    walk(watch, movie(bleaching(24)), rows)
    assert "24 frames are too few" in told[0]
    assert watch.summary() == {"spots": len(PLACE), "samples": 24, "frames_per_sample": 1}
    nobody, other, _ = watch_of(model, told)
    walk(nobody, movie(bleaching(24)), lambda index: rows(index).where(slice(0, 0)))
    assert "no spot stays" in told[1]
    assert nobody.summary() == {"spots": 0}
    assert not published
    for one in (engine, other):
        one.close()


class Failing:
    """The device's memory is gone from the second count on."""

    def __init__(self, engine):
        self.card, self._engine, self.asked = engine.card, engine, 0

    def run(self, inputs):
        self.asked += 1
        if self.asked > 1:
            raise EngineFault("no memory", limit="8 GB", remedy="use a smaller card")
        return self._engine.run(inputs)


def test_counting_that_fails_is_tried_again_and_takes_no_light_away(model, tmp_path):
    told, time_s = [], 0.0
    engine = step_counter(str(model))
    failing, photometer = Failing(engine), Photometer(lambda *_: SPOT, CAMERA, 100, None)
    settings = TracesSettings(model=str(model), find_frames=8, every_s=1)
    watch = TraceWatch(settings, failing, photometer, lambda *_: None, told.append, lambda: time_s)
    feed(watch, movie(bleaching(48)), rows)
    for time_s in (2.0, 2.1, 4.0, 4.1, 6.0):  # noqa: B007
        watch.serve()
        assert watch.counted is not None, "the first count stays"
    assert failing.asked == 3
    watch.finish()
    engine.close()
    assert watch.counted is None, "it was of fewer frames"
    assert [text.split(":")[1] for text in told] == [
        " a count of steps failed and will be tried again, light is measured as before",
        " steps were not counted, traces.parquet has the light alone",
    ]
    assert all("use a smaller card" in text for text in told)
    watch.write(tmp_path)
    table = parquet.read_table(tmp_path / "traces.parquet")
    assert len(table["light_e"][0]) == 48
    assert "steps" not in table.column_names


def test_traces_are_counted_some_at_a_time(model):
    engine, record = step_counter(str(model)), TraceRecord(AT_ONCE + 5, MOST)
    light = np.random.default_rng(4).uniform(0, 3000, (32, AT_ONCE + 5))
    record.add(light, light + 100, np.arange(32))
    counting = CountingRound(engine, record)
    record.add(light[:1], light[:1], np.array([32]))
    assert counting.count_some() is None
    counted = counting.count_some()
    whole = engine.run({"trace": record.light_e[:, :32]})["probability"]
    engine.close()
    np.testing.assert_allclose(counted.probability, whole, rtol=1e-5)


def test_a_model_that_counts_no_steps_is_refused():
    with pytest.raises(ModelError, match="counts no bleaching steps"):
        step_counter("2d-fast")
