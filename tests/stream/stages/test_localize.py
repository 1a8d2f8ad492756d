"""Every frame is located with its right neighbours, however frames are cut into batches and wherever a gap is."""

from collections.abc import Iterator, Mapping
from math import nan

import numpy as np
import pytest

from export.card import Card
from models.camera import Camera
from stream.engines.plans import own_thread
from stream.engines.slots import HostPlan
from stream.engines.whole_frames import WholeFrames
from stream.frame import Batch
from stream.stages.localize import Localizer
from stream.zoo import shipped

H, W = 12, 10


class NeighbourEngine:
    """Answers each frame with one row that names the three frames it was computed from: features are mean counts."""

    def __init__(self) -> None:
        self.device = "test"
        self.card: Card = shipped()["localizer-2d"]
        self.frames_encoded = 0
        self._thread = own_thread()

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        frames = inputs["frames"].mean((1, 2))
        self.frames_encoded += len(frames)
        context = inputs["context"]
        features = np.concatenate((context[:, 0, 0, 0], frames))
        table = np.zeros((len(frames), 8), "f4")
        for column in range(3):
            table[:, column] = features[column : column + len(frames)]
        table[:, 3:5], table[:, 7] = 0.1, 0.9
        out = np.zeros_like(context)
        out[:] = features[-2:, None, None, None]
        return {"frame": np.arange(len(frames)), "table": table, "count": np.asarray(len(frames)), "context_out": out}

    def plan(self, maps: dict[str, np.ndarray]) -> HostPlan:
        return HostPlan(WholeFrames(self.run, self.card, maps, []), self._thread)

    def close(self) -> None:
        self._thread.shutdown()


def batch(index: list[int]) -> Batch:
    pixels = np.broadcast_to(np.array(index, "u2")[:, None, None], (len(index), H, W))
    none = np.full(len(index), nan)
    return Batch(pixels, np.array(index), none, np.array(index, float), none)


@pytest.fixture
def engine() -> Iterator[NeighbourEngine]:
    engine = NeighbourEngine()
    yield engine
    engine.close()


def locate(*batches: list[int]) -> tuple[dict[int, tuple[float, ...]], NeighbourEngine]:
    engine = NeighbourEngine()
    localizer = Localizer(engine, Camera(), H, W, pixel_size_nm=1.0, threshold=0.5)
    done = [localizer.process(batch(index)) for index in batches] + [localizer.flush()]
    engine.close()
    seen = {}
    for part in done:
        assert part.index.tolist() == part.table["frame"].tolist() == part.host_time_s.tolist()
        for row, frame in enumerate(part.table["frame"]):
            seen[int(frame)] = tuple(float(part.table[name][row]) for name in ("x_nm", "y_nm", "photons"))
    return seen, engine


@pytest.mark.parametrize("batches", [([5, 6, 7, 8],), ([5], [6], [7], [8]), ([5, 6], [7, 8]), ([5, 6, 7], [], [8])])
def test_neighbours_are_the_same_however_frames_are_cut(batches: tuple[list[int], ...]) -> None:
    seen, _ = locate(*batches)
    assert seen == {5: (5, 5, 6), 6: (5, 6, 7), 7: (6, 7, 8), 8: (7, 8, 8)}


@pytest.mark.parametrize("batches", [([1, 2, 5, 6],), ([1, 2], [5, 6]), ([1], [2, 5], [6])])
def test_frames_beside_a_gap_stand_in_for_the_missing_ones(batches: tuple[list[int], ...]) -> None:
    seen, _ = locate(*batches)
    assert seen == {1: (1, 1, 2), 2: (1, 2, 2), 5: (5, 5, 6), 6: (5, 6, 6)}


def test_every_frame_is_encoded_once_but_for_the_ends() -> None:
    _, engine = locate(*([k] for k in range(20)))
    assert engine.frames_encoded == 20 + 1


def test_nothing_in_nothing_out() -> None:
    assert locate()[0] == {}


def test_units_and_quantum_efficiency(engine: NeighbourEngine) -> None:
    localizer = Localizer(engine, Camera(quantum_efficiency=0.5), H, W, pixel_size_nm=100.0, threshold=0.5)
    localizer.process(batch([4]))
    table = localizer.flush().table
    assert (table["x_nm"][0], table["photons"][0], table["sigma_x_nm"][0]) == pytest.approx((400, 8, 10))


def test_a_batch_is_answered_with_the_next_or_when_there_is_none(engine: NeighbourEngine) -> None:
    localizer = Localizer(engine, Camera(), H, W, 100.0, 0.5)
    assert (len(localizer.process(batch([1, 2, 3])).index), localizer.look_ahead_frames) == (0, 3)
    assert localizer.process(batch([4, 5])).index.tolist() == [1, 2]
    assert localizer.look_ahead_frames == 3
    assert localizer.process(batch([])).index.tolist() == [3, 4]
    assert localizer.look_ahead_frames == 1
    assert localizer.flush().index.tolist() == [5]
