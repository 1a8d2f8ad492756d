"""The lane on a CUDA device, with a fake device, and ONNX Runtime for what computes: order, memory and rows."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from export.card import METADATA_KEY, Card
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.engines.buckets import BUCKETS
from stream.engines.cuda_lane import CudaLane, output_shapes
from stream.engines.slots import SLOTS
from stream.engines.static_plan import StaticPlan
from stream.errors import EngineFault, OutOfMemory
from tests.contracts_engine import HEIGHT, WIDTH, answers, calibration, shifted, spots
from tests.stream.engines.fake_cuda import FakeCuda, computed

MIB = 1 << 20
NEEDS_MIB = {size: size + 8 for size in BUCKETS}
"""Of the fake network, whatever it computes."""


class OnnxRuntimeOnFake:
    """A static model that ONNX Runtime computes when the fake device comes to it."""

    captures = False

    def __init__(self, cuda: FakeCuda, model: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.card = Card.from_json(self.session.get_modelmeta().custom_metadata_map[METADATA_KEY])
        self._cuda, self._scratch = cuda, None
        self.runs: list[int] = []

    def ready(self, buckets: tuple[int, ...]) -> None:
        self.close()
        self._scratch = self._cuda.memory(NEEDS_MIB[buckets[-1]] * MIB)

    def bound(self, bucket: int, pointers: Mapping[str, int], stream: int) -> Callable[[], None]:
        run = computed(self._cuda, self.session, self.card, (HEIGHT, WIDTH), bucket, pointers)

        def counted() -> None:
            self.runs.append(bucket)
            run()

        return lambda: self._cuda.enqueue(stream, lambda: counted)

    def close(self) -> None:
        if self._scratch is not None:
            self._scratch.free()
        self._scratch = None


@pytest.fixture
def cuda() -> FakeCuda:
    return FakeCuda()


@pytest.fixture
def computes(cuda: FakeCuda, static_model: Path) -> OnnxRuntimeOnFake:
    return OnnxRuntimeOnFake(cuda, static_model)


@pytest.fixture(autouse=True)
def one_run_before_a_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three real runs of each size would take long."""
    monkeypatch.setattr("stream.engines.cuda_lane.WARM_UP", 1)


def lane_of(computes: OnnxRuntimeOnFake, cuda: FakeCuda, remarks: list[str] | None = None) -> CudaLane:
    return CudaLane(
        cuda, computes, computes.card, calibration(computes.card), SLOTS, [] if remarks is None else remarks
    )


def plan_of(computes: OnnxRuntimeOnFake, cuda: FakeCuda) -> StaticPlan:
    return StaticPlan(lane_of(computes, cuda), computes.card, calibration(computes.card))


@pytest.mark.parametrize("sizes", [[1, 1, 5, 3, 2], [40], [2, 35, 3]])
def test_rows_are_those_of_onnx_runtime_to_the_bit(
    computes: OnnxRuntimeOnFake, cuda: FakeCuda, static_model: Path, sizes: list[int]
) -> None:
    engine = open_engine(static_model, EngineSettings(threads=1))
    wanted = answers(engine.plan(calibration(engine.card)), spots(sum(sizes)), sizes)
    engine.close()
    assert len(wanted) > sum(sizes)
    np.testing.assert_array_equal(answers(plan_of(computes, cuda), spots(sum(sizes)), sizes), wanted)


def test_it_begins_anew_in_the_middle(computes: OnnxRuntimeOnFake, cuda: FakeCuda) -> None:
    plan, pixels = plan_of(computes, cuda), spots(9)
    first = shifted(plan.wait(plan.submit(pixels[:4], anew=True)), 0)
    between = [plan.submit(pixels[4:], anew=False), plan.submit(pixels[:4], anew=True)]
    _, again = (shifted(plan.wait(slot), 0) for slot in between)
    np.testing.assert_array_equal(again, first)
    assert len(first) > 4


def test_nothing_is_computed_before_somebody_waits(computes: OnnxRuntimeOnFake, cuda: FakeCuda) -> None:
    plan = plan_of(computes, cuda)
    computes.runs.clear()
    slots = [plan.submit(spots(3), anew=True), plan.submit(spots(2), anew=False)]
    assert computes.runs == []
    plan.wait(slots[0])
    assert computes.runs == [1, 4]  # the other batch is still under way
    plan.wait(slots[1])
    assert computes.runs == [1, 4, 4]


def test_the_fake_notices_who_overwrites_what_is_under_way(computes: OnnxRuntimeOnFake, cuda: FakeCuda) -> None:
    """Else the tests above would prove nothing."""
    lane = lane_of(computes, cuda)
    frames = lane.frames(0)
    lane.launch(0, 1, 1)
    frames[:] = 7
    with pytest.raises(AssertionError, match="overwritten while it was under way"):
        lane.outcome(0)


def test_memory_of_a_place_is_given_out_when_nothing_there_is_under_way(
    computes: OnnxRuntimeOnFake, cuda: FakeCuda
) -> None:
    lane = lane_of(computes, cuda)
    lane.launch(0, 4, 3)
    lane.frames(1)
    assert cuda.under_way()
    lane.frames(0)[:] = 7
    assert not cuda.under_way()


def test_each_size_of_each_place_is_one_graph(computes: OnnxRuntimeOnFake, cuda: FakeCuda) -> None:
    lane = lane_of(computes, cuda)
    assert lane.buckets == BUCKETS
    assert cuda.graphs == SLOTS * len(BUCKETS)
    assert not cuda.under_way()


def test_the_features_before_the_first_batch_are_zero(computes: OnnxRuntimeOnFake, cuda: FakeCuda) -> None:
    lane = lane_of(computes, cuda)
    assert not lane.context().any()
    given = np.random.default_rng(1).random(lane.context().shape, np.float32)
    lane.set_context(given)
    np.testing.assert_array_equal(lane.context(), given)


@pytest.mark.parametrize("kept", range(1, len(BUCKETS)))
def test_sizes_that_memory_does_not_do_for_are_left_out(computes: OnnxRuntimeOnFake, cuda: FakeCuda, kept: int) -> None:
    """Where there is memory for exactly so many sizes."""
    card, remarks = computes.card, list[str]()
    cuda.limit_bytes = needed_bytes(card, BUCKETS[kept - 1])
    lane = lane_of(computes, cuda, remarks)
    assert lane.buckets == BUCKETS[:kept]
    assert remarks == [f"the GPU has no memory for {BUCKETS[kept]} frames at once: batches of {BUCKETS[kept - 1]}"]
    plan = StaticPlan(lane, card, calibration(card))
    assert len(plan.wait(plan.submit(spots(9), anew=True)).table) > 9


def test_no_memory_for_a_single_frame(computes: OnnxRuntimeOnFake, cuda: FakeCuda) -> None:
    cuda.limit_bytes = needed_bytes(computes.card, 1) - 1
    with pytest.raises(OutOfMemory, match=f"for one frame of {HEIGHT} x {WIDTH} pixels") as fault:
        lane_of(computes, cuda)
    assert "cudaErrorMemoryAllocation" in fault.value.limit
    assert fault.value.remedy == "use a smaller ROI"
    computes.close()
    assert not cuda.kept


def needed_bytes(card: Card, largest: int) -> int:
    """Return what a lane takes of the device for batches up to this size."""
    outputs = output_shapes(card, (HEIGHT, WIDTH), largest)
    features = 4 * int(np.prod(outputs["context_out"]))
    place = 2 * largest * HEIGHT * WIDTH + 4 * int(np.prod(outputs["table"])) + 8 * largest + 8
    maps = sum(values.nbytes for values in calibration(card).values())
    return NEEDS_MIB[largest] * MIB + 2 * features + SLOTS * place + maps


def test_a_fault_of_the_device_is_told_where_its_outcome_is_asked_for(
    computes: OnnxRuntimeOnFake, cuda: FakeCuda
) -> None:
    plan = plan_of(computes, cuda)
    slot = plan.submit(spots(3), anew=True)
    cuda.lost = True
    with pytest.raises(EngineFault, match="cudaErrorIllegalAddress"):
        plan.wait(slot)


@pytest.mark.parametrize("lost", [False, True])
def test_everything_is_given_back_once(computes: OnnxRuntimeOnFake, cuda: FakeCuda, lost: bool) -> None:
    lane = lane_of(computes, cuda)
    lane.launch(0, 1, 1)
    cuda.lost = lost
    lane.close()
    computes.close()
    lane.close()
    assert not cuda.kept


def test_a_network_that_cannot_be_captured_is_a_fault_and_gives_everything_back(
    computes: OnnxRuntimeOnFake, cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waits(bucket: int, pointers: Mapping[str, int], stream: int) -> Callable[[], None]:
        def fails() -> None:
            raise EngineFault("CUDA failed: cudaErrorStreamCaptureUnsupported")

        return fails

    monkeypatch.setattr(computes, "bound", waits)
    with pytest.raises(EngineFault, match="CaptureUnsupported"):
        lane_of(computes, cuda)
    computes.close()
    assert not cuda.kept
