"""Several engines as one: dealt in turn, answered in order, to the bit; and processes that die."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
import pytest

from stream.config import EngineSettings
from stream.engines import open_engine
from stream.engines.before import FramesBefore, behind
from stream.engines.engine_process import VISIBLE, gpu_of
from stream.errors import EngineFault, ModelError
from stream.zoo import find
from tests.contracts_engine import MODEL, EngineContract, answers, calibration, shifted, spots

TWO = EngineSettings(threads=1, processes=2)


class TestFleet(EngineContract):
    settings = TWO


def test_it_says_how_many_there_are() -> None:
    with closing(open_engine(MODEL, TWO)) as fleet:
        assert fleet.device.startswith("2 x ONNX Runtime")


@pytest.mark.parametrize("sizes", [[1] * 7, [1, 2, 1, 4, 9], [16, 16, 3], [40]])
def test_rows_are_those_of_one_engine_to_the_bit(sizes: list[int]) -> None:
    pixels = spots(sum(sizes))
    found = []
    for settings in (EngineSettings(threads=1), TWO):
        with closing(open_engine(MODEL, settings)) as engine:
            found.append(answers(engine.plan(calibration(engine.card)), pixels, sizes))
    assert len(found[0]) > 2 * len(pixels)
    np.testing.assert_array_equal(found[1], found[0])


def test_it_begins_anew_in_the_middle() -> None:
    with closing(open_engine(MODEL, TWO)) as fleet:
        plan, pixels = fleet.plan(calibration(fleet.card)), spots(9)
        assert plan.slots == 4
        slots = [plan.submit(pixels[:4], anew=True), plan.submit(pixels[4:], anew=False), plan.submit(pixels[:4], True)]
        first, between, again = (shifted(plan.wait(slot), 0) for slot in slots)
    np.testing.assert_array_equal(again, first)
    assert len(between) > len(first) > 4


def test_batches_that_grow_find_room() -> None:
    with closing(open_engine(MODEL, TWO)) as fleet:
        plan = fleet.plan(calibration(fleet.card))
        for frames in (2, 30, 5):
            assert len(plan.wait(plan.submit(spots(frames), anew=True)).table) >= 3 * (frames - 1)


@pytest.mark.parametrize("sizes", [[1, 1, 1, 1], [3, 1, 2], [2, 5]])
def test_what_is_in_front_of_a_batch_are_the_two_frames_before_it(sizes: list[int]) -> None:
    before, frames, at = FramesBefore(), np.arange(sum(sizes), dtype=np.uint16)[:, None, None], 0
    for size in sizes:
        joined = before.joined(frames[at : at + size], anew=at == 0).ravel().tolist()
        expected = [*range(at, at + size)] if not at else [max(at - 2, 0), at - 1, *range(at, at + size)]
        assert joined == expected
        at += size


def test_only_rows_of_its_own_frames_are_told() -> None:
    from stream.engine import Rows

    rows = Rows(np.array([0, 1, 1, 4]), np.arange(8, dtype=np.float32).reshape(4, 2))
    assert behind(rows, anew=True) is rows
    assert behind(rows, anew=False).frame.tolist() == [0, 0, 3]
    assert behind(rows, anew=False).table[:, 0].tolist() == [2, 4, 6]


def test_a_process_that_is_killed_is_named_with_its_exit_code() -> None:
    with closing(open_engine(MODEL, TWO)) as fleet:
        plan = fleet.plan(calibration(fleet.card))
        os.kill(fleet.processes[1], signal.SIGKILL)
        good, bad = plan.submit(spots(3), anew=True), plan.submit(spots(3), anew=False)
        assert len(plan.wait(good).table) > 4
        with pytest.raises(EngineFault, match=r"engine 2 of 2 is gone: its process ended with exit code -9") as fault:
            plan.wait(bad)
        assert "replay" in fault.value.remedy


def test_a_model_that_cannot_be_opened_leaves_no_process(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="engine 1 of 2: cannot load model"):
        open_engine(tmp_path / "model.onnx", TWO)


def test_each_engine_has_a_gpu_of_its_own() -> None:
    assert [gpu_of(number, None) for number in range(3)] == ["0", "1", "2"]
    assert [gpu_of(number, "3, GPU-5") for number in range(2)] == ["3", "GPU-5"]
    with pytest.raises(ModelError, match=f"{VISIBLE} is '3'") as error:
        gpu_of(1, "3")
    assert error.value.limit == "it shows 1"


ALONE = """
import os, signal, sys
from pathlib import Path
from stream.config import EngineSettings
from stream.engines import open_engine
from tests.contracts_engine import calibration, spots
if __name__ == "__main__":
    fleet = open_engine(Path(sys.argv[1]), EngineSettings(threads=1, processes=2))
    plan = fleet.plan(calibration(fleet.card))
    plan.wait(plan.submit(spots(3), anew=True))
    print(os.getpid(), *fleet.processes, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_nothing_outlives_whoever_asked(tmp_path: Path) -> None:
    """Killed without a word: the engines end, and their memory goes."""
    (tmp_path / "alone.py").write_text(ALONE)
    done = subprocess.run(
        [sys.executable, tmp_path / "alone.py", find("2d-fast")], capture_output=True, text=True, timeout=120,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    asked, *engines = map(int, done.stdout.split())
    _, left = psutil.wait_procs([psutil.Process(pid) for pid in engines if psutil.pid_exists(pid)], timeout=20)
    assert not left
    for _ in range(200):  # the resource tracker takes the memory away when all that knew it are gone
        if not [*Path("/dev/shm").glob(f"livesmlm-{asked}-*")]:
            break
        psutil.wait_procs([], timeout=0.1)
    assert not [*Path("/dev/shm").glob(f"livesmlm-{asked}-*")]
