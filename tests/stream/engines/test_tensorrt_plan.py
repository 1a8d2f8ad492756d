"""The TensorRT engine with a fake TensorRT on a fake device: that its parts fit together, and what it refuses.

No TensorRT has run here: `test_tensorrt_names.py` holds its names against the real ones, and on a machine with a device
`livesmlm engines` holds its answers against ONNX Runtime's.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import onnx
import pytest

from export.card import METADATA_KEY, Card
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.engines.buckets import BUCKETS
from stream.engines.lane import feature_shape
from stream.errors import EngineFault, ModelError, OutOfMemory
from stream.zoo import find
from tests.contracts_engine import HEIGHT, WIDTH, answers, calibration, spots
from tests.stream.engines import fake_cuda, fake_tensorrt
from tests.stream.engines.fake_cuda import FakeCuda

OURS = ("stream.engines.tensorrt_build", "stream.engines.tensorrt_context", "stream.engines.tensorrt_plan")


@pytest.fixture
def cuda() -> FakeCuda:
    return FakeCuda()


@pytest.fixture
def module(cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """`tensorrt_plan`, imported with the fakes in place of both packages."""
    device = SimpleNamespace(Cuda=lambda: cuda, Held=fake_cuda.Held)
    monkeypatch.setitem(sys.modules, "tensorrt", fake_tensorrt.package(cuda))
    monkeypatch.setitem(sys.modules, "stream.engines.cuda", device)
    for name in OURS:
        monkeypatch.delitem(sys.modules, name, raising=False)
    from stream.engines import tensorrt_plan

    monkeypatch.setattr("stream.engines.cuda_lane.WARM_UP", 1)
    yield tensorrt_plan
    for name in OURS:
        sys.modules.pop(name, None)
        vars(sys.modules["stream.engines"]).pop(name.rpartition(".")[2], None)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def make(module: ModuleType, tmp_path: Path, static_model: Path, said: list[str]) -> Callable[..., object]:
    return lambda model=static_model: module.TensorRtEngine(model, say=said.append, folder=tmp_path / "plans")


@pytest.mark.parametrize("sizes", [[1, 1, 5, 3, 2], [2, 35, 3]])
def test_rows_are_those_of_onnx_runtime(make, static_model: Path, sizes: list[int]) -> None:
    engine, other = make(), open_engine(static_model, EngineSettings(threads=1))
    maps = calibration(other.card)
    found, wanted = (answers(one.plan(maps), spots(sum(sizes)), sizes) for one in (engine, other))
    engine.close()
    other.close()
    assert len(wanted) > sum(sizes)
    np.testing.assert_array_equal(found, wanted)


def inputs_of(card: Card, frames: int, pixels: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return what `run` takes, in the order of the card; of the frames, all but the last count."""
    given = spots(frames) if pixels is None else pixels
    context = np.random.default_rng(2).random(feature_shape(card, (HEIGHT, WIDTH)), np.float32)
    every = {
        "frames": given.view(np.uint8).reshape(*given.shape, 2), **calibration(card),
        "valid": np.asarray(max(frames - 1, 1), np.int64), "context": context,
    }  # fmt: skip
    return {port.name: every[port.name] for port in card.inputs}


@pytest.mark.parametrize("frames", [1, 3, 8])
def test_arrays_in_and_arrays_out(make, static_model: Path, cuda: FakeCuda, frames: int) -> None:
    engine, other = make(), open_engine(static_model, EngineSettings(threads=1))
    inputs = inputs_of(engine.card, frames)
    found, wanted = engine.run(inputs), other.run(inputs)
    assert [*found] == [port.name for port in engine.card.outputs]
    for name, values in wanted.items():
        assert found[name].dtype == values.dtype
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-5)
    engine.close()
    other.close()
    assert not cuda.kept


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": np.zeros((2, 20, 20, 2), "u1")}, {"frames": np.zeros((2, HEIGHT, WIDTH, 2), "u2")},
        {"valid": np.asarray(9)}, {"valid": np.asarray(0)}, {"context": np.zeros((2, 32, 9, 9), "f4")},
    ],
)  # fmt: skip
def test_inputs_that_do_not_fit_are_a_fault_that_names_them(make, cuda: FakeCuda, wrong: dict) -> None:
    engine = make()
    with pytest.raises(EngineFault) as fault:
        engine.run(inputs_of(engine.card, 3) | wrong)
    (values,) = wrong.values()
    assert f"{values.dtype}{values.shape}" in fault.value.limit
    assert not cuda.kept


def test_more_frames_than_the_largest_batch(make) -> None:
    engine = make()
    with pytest.raises(EngineFault, match="there may be 32"):
        engine.run(inputs_of(engine.card, 33))


def test_a_plan_is_built_once_and_kept_with_its_timings(make, said: list[str], tmp_path: Path) -> None:
    for _ in range(2):
        engine = make()
        engine.plan(calibration(engine.card))
        engine.plan(calibration(engine.card))
        engine.close()
    assert said == [f"building the TensorRT plan for 2d-fast, {HEIGHT} x {WIDTH}: this takes minutes, once"]
    assert len([*(tmp_path / "plans").glob(f"2d-fast-{HEIGHT}x{WIDTH}-*.plan")]) == 1
    assert [path.read_bytes() for path in (tmp_path / "plans").glob("timings-*.cache")] == [b"."]


def test_timings_of_before_are_used_and_those_of_another_device_are_not(module: ModuleType, static_model: Path) -> None:
    from stream.engines.tensorrt_build import Log, build, input_shapes

    model = onnx.load(static_model)
    card = Card.from_json(next(one.value for one in model.metadata_props if one.key == METADATA_KEY))
    shapes = input_shapes(card, (HEIGHT, WIDTH))
    given = (b"", b"measured", b"another device")
    assert [build(static_model.read_bytes(), shapes, one, Log()).timings for one in given] == [b".", b"measured.", b"."]


def test_another_version_is_another_plan(make, module: ModuleType, said: list[str], monkeypatch) -> None:
    make().plan(calibration(make().card))
    monkeypatch.setattr(module.trt, "__version__", "11.4.0.106")
    engine = make()
    engine.plan(calibration(engine.card))
    engine.close()
    assert said[1] == "the plan is built anew, since TensorRT was 10.16.1.11 and is 11.4.0.106"
    assert len(said) == 3


def test_shapes_are_those_of_the_rig(make, module: ModuleType) -> None:
    from stream.engines.tensorrt_build import in_batches_of, input_shapes

    card = make().card
    assert input_shapes(card, (50, 46)) == {
        "context": (2, card.features, 26, 24), "frames": (-1, 50, 46, 2), "offset": (50, 46), "gain": (50, 46),
        "variance": (50, 46), "excess": (), "threshold": (), "valid": (),
    }  # fmt: skip
    assert in_batches_of(8, (-1, 50, 46, 2)) == (8, 50, 46, 2)


def test_a_model_of_the_other_form_is_refused_with_the_command_that_makes_one(make) -> None:
    with pytest.raises(ModelError, match="TensorRT computes localizers of known shapes") as error:
        make(find("2d-fast"))
    assert error.value.remedy == f"livesmlm export {find('2d-fast')} --to tensorrt --out FILE"


def test_a_model_in_eight_bits_is_refused(make, static_model: Path, tmp_path: Path) -> None:
    model = onnx.load(static_model)
    (entry,) = model.metadata_props
    entry.value = replace(Card.from_json(entry.value), precision="int8").to_json()
    onnx.save(model, tmp_path / "int8.onnx")
    with pytest.raises(ModelError, match="no eight-bit numbers without sign"):
        make(tmp_path / "int8.onnx")


def test_a_device_that_it_does_not_compute_on(module: ModuleType, static_model: Path) -> None:
    with pytest.raises(ModelError, match="device = 'cpu'"):
        module.TensorRtEngine(static_model, device="cpu")


def test_the_driver_is_asked_before_anything_of_tensorrt_is_made(module: ModuleType, monkeypatch) -> None:
    def no_driver() -> None:
        raise ModelError("there is no NVIDIA driver")

    monkeypatch.setattr(module, "Cuda", no_driver)
    monkeypatch.setattr(module.trt.Runtime, "__init__", lambda *_: pytest.fail("the process would have ended here"))
    with pytest.raises(ModelError, match="no NVIDIA driver"):
        module.TensorRtEngine(find("2d-fast"))


def test_all_that_the_parser_has_against_a_model_is_told(module: ModuleType) -> None:
    from stream.engines.tensorrt_build import Log, build

    with pytest.raises(ModelError, match="TensorRT cannot read this model") as error:
        build(find("2d-fast").read_bytes(), {}, b"", Log())
    assert error.value.limit == "NonZero node_7: no importer; NonZero node_7: no importer"
    assert "--to tensorrt" in error.value.remedy


@pytest.mark.parametrize(
    ("told", "kind"),
    [("Could not find any implementation for node Conv", ModelError), ("OutOfMemory (Requested size)", OutOfMemory)],
)
def test_a_build_that_gives_nothing_says_what_tensorrt_said(make, monkeypatch, told: str, kind: type) -> None:
    monkeypatch.setattr(fake_tensorrt.Builder, "fails", told)
    engine = make()
    with pytest.raises(kind, match="cannot build a plan") as error:
        engine.plan(calibration(engine.card))
    assert error.value.limit == told
    monkeypatch.setattr(fake_tensorrt.Builder, "fails", "")
    engine.plan(calibration(engine.card))  # nothing that does not work was kept


def test_a_plan_that_tensorrt_does_not_take(make, module: ModuleType, monkeypatch) -> None:
    monkeypatch.setattr(module, "build", lambda *_: SimpleNamespace(plan=b"null", timings=b""))
    engine = make()
    with pytest.raises(ModelError, match="does not take the plan") as error:
        engine.plan(calibration(engine.card))
    assert error.value.limit == "Serialization assertion failed"


@pytest.mark.parametrize(
    ("method", "gives", "why"),
    [
        ("get_tensor_location", fake_tensorrt.TensorLocation.HOST, "valid is an input in host memory of int64()"),
        ("is_shape_inference_io", True, "valid is an input in host memory of int64()"),
        ("get_tensor_dtype", fake_tensorrt.DataType.FLOAT, "frames is an input in device memory of float32"),
        ("get_tensor_mode", fake_tensorrt.TensorIOMode.OUTPUT, "frames is an output"),
        ("get_tensor_name", "images", "frames is None, not an input"),
        ("get_tensor_profile_shape", [(1,)] * 3, "frames is for"),
    ],
)
def test_an_engine_of_another_model(make, cuda: FakeCuda, monkeypatch, method: str, gives, why: str) -> None:
    monkeypatch.setattr(fake_tensorrt.ICudaEngine, method, lambda *_: gives)
    if method == "get_tensor_name":
        monkeypatch.setattr(fake_tensorrt.ICudaEngine, "get_tensor_shape", lambda *_: (1,))
        monkeypatch.setattr(fake_tensorrt.ICudaEngine, "get_tensor_dtype", lambda *_: fake_tensorrt.DataType.FLOAT)
    engine = make()
    with pytest.raises(ModelError, match="is not of this model") as error:
        engine.plan(calibration(engine.card))
    assert why in error.value.what
    assert not cuda.kept


@pytest.mark.parametrize(
    ("method", "gives", "why"),
    [
        ("create_execution_context", None, "cannot make a context"),
        ("set_optimization_profile_async", False, "has no profile for 1 frames"),
        ("set_input_shape", False, "does not take frames of 1 frames"),
        ("set_tensor_address", False, "does not take memory for"),
        ("infer_shapes", ["frames"], "does not know the shapes of frames"),
        ("get_tensor_shape", (1, 2), "would write table as"),
        ("execute_async_v3", False, "inference failed"),
    ],
)
def test_a_context_that_fails_is_a_fault_and_gives_everything_back(
    make, cuda: FakeCuda, monkeypatch, method: str, gives, why: str
) -> None:
    owner = fake_tensorrt.ICudaEngine if method == "create_execution_context" else fake_tensorrt.IExecutionContext
    monkeypatch.setattr(owner, method, lambda *_: gives)
    engine = make()
    with pytest.raises(EngineFault, match=why):
        engine.plan(calibration(engine.card))
    engine.close()
    assert not cuda.kept


def test_sizes_that_memory_does_not_do_for_are_left_out_and_told(make, cuda: FakeCuda) -> None:
    engine = make()
    cuda.limit_bytes = 20 << 20  # 8 + 8 MiB of the network, and what goes in and out
    plan = engine.plan(calibration(engine.card))
    assert engine.remarks == ["the GPU has no memory for 16 frames at once: batches of 8"]
    assert len(plan.wait(plan.submit(spots(12), anew=True)).table) > 12
    engine.close()


def test_memory_is_given_back_with_the_next_plan_and_with_the_engine(make, cuda: FakeCuda) -> None:
    engine = make()
    engine.plan(calibration(engine.card))
    once = len(cuda.kept)
    engine.plan(calibration(engine.card))
    assert len(cuda.kept) == once > 2 * len(BUCKETS)
    gc.collect()
    assert len(fake_tensorrt.ALIVE) == 2 * len(BUCKETS)
    engine.close()
    engine.close()
    gc.collect()
    assert not cuda.kept
    assert not fake_tensorrt.ALIVE


def test_it_says_where_it_runs(make) -> None:
    assert make().device == "TensorRT 10.16.1.11 on Fake GPU"
