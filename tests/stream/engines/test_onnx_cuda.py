"""ONNX Runtime in a lane on a fake device, whose memory is the host's: so its provider for the CPU can compute there.

Bindings, addresses and batch sizes are real; what CUDA's provider makes of its options was never seen.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from export.card import METADATA_KEY, Card
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.engines.buckets import BUCKETS
from stream.engines.cuda_lane import CudaLane
from stream.engines.onnx_cuda import OnnxRuntimeComputes
from stream.engines.plans import own_thread
from stream.engines.slots import SLOTS
from stream.engines.static_plan import StaticPlan
from stream.engines.threaded_lane import ThreadedLane
from stream.errors import EngineFault
from tests.contracts_engine import HEIGHT, WIDTH, answers, calibration, spots
from tests.stream.engines.fake_cuda import FakeCuda


@pytest.fixture
def cuda() -> FakeCuda:
    return FakeCuda(eager=True)


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    thread = own_thread()
    yield thread
    thread.shutdown()


@pytest.fixture
def computes(static_model: Path) -> OnnxRuntimeComputes:
    return made(static_model)


def made(model: Path) -> OnnxRuntimeComputes:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    card = Card.from_json(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    axes = {port.name: port.shape for port in session.get_inputs()}
    return OnnxRuntimeComputes(
        model, card, axes, (HEIGHT, WIDTH), lambda _: ("CPUExecutionProvider", {}), device="cpu"
    )  # fmt: skip


@pytest.fixture
def lane(cuda: FakeCuda, computes: OnnxRuntimeComputes, thread: ThreadPoolExecutor, monkeypatch) -> ThreadedLane:
    monkeypatch.setattr("stream.engines.cuda_lane.WARM_UP", 1)
    card = computes._card
    return ThreadedLane(lambda: CudaLane(cuda, computes, card, calibration(card), SLOTS, []), thread, SLOTS)


@pytest.mark.parametrize("sizes", [[1, 1, 5, 3, 2], [2, 35, 3]])
def test_rows_are_those_of_a_session_without_bindings(
    lane: ThreadedLane, computes: OnnxRuntimeComputes, static_model: Path, sizes: list[int]
) -> None:
    engine = open_engine(static_model, EngineSettings(threads=1))
    wanted = answers(engine.plan(calibration(engine.card)), spots(sum(sizes)), sizes)
    engine.close()
    found = answers(StaticPlan(lane, computes._card, calibration(computes._card)), spots(sum(sizes)), sizes)
    assert len(wanted) > sum(sizes)
    np.testing.assert_array_equal(found, wanted)


def test_its_work_is_not_captured_again(lane: ThreadedLane, cuda: FakeCuda) -> None:
    assert lane.buckets == BUCKETS
    assert cuda.graphs == 0


def test_whoever_submits_a_batch_does_not_wait(lane: ThreadedLane, thread: ThreadPoolExecutor) -> None:
    """While the thread is held up nothing can be computed, and yet a batch is taken."""
    held_up = Event()
    thread.submit(held_up.wait)
    lane.frames(0)[:] = 0
    lane.launch(0, 4, 3)
    held_up.set()
    assert lane.outcome(0)[1].shape == (BUCKETS[-1],)


def test_a_launch_that_fails_is_told_where_its_outcome_is_asked_for(lane: ThreadedLane) -> None:
    lane.launch(0, 3, 3)  # a size that it is not ready for
    with pytest.raises(KeyError):
        lane.outcome(0)
    lane.frames(0)[:] = 0  # which is then free again
    lane.launch(0, 4, 3)
    lane.outcome(0)


def test_everything_is_given_back_and_the_sessions_before_the_stream(
    lane: ThreadedLane, cuda: FakeCuda, computes: OnnxRuntimeComputes
) -> None:
    assert computes._sessions.keys() == set(BUCKETS)
    lane.close()
    lane.close()
    assert not computes._sessions
    assert not cuda.kept


def test_no_length_is_computed_where_all_are_known(
    computes: OnnxRuntimeComputes, static_model: Path, tmp_path: Path
) -> None:
    """What shapes need would be computed on the CPU, which a CUDA graph cannot hold."""
    options = ort.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "folded.onnx")
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    for axis, length in computes._lengths(8).items():
        options.add_free_dimension_override_by_name(axis, length)
    ort.InferenceSession(static_model, options, providers=["CPUExecutionProvider"])
    before, after = (
        [node.op_type for node in onnx.load(path).graph.node] for path in (static_model, tmp_path / "folded.onnx")
    )
    assert "Shape" in before
    assert not {"Shape", "NonZero"} & set(after)


def test_a_file_that_went_away(tmp_path: Path, static_model: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(static_model.read_bytes())
    computes = made(tmp_path / "model.onnx")
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(EngineFault, match=r"model\.onnx"):
        computes.bound(1, {}, 0)
