"""Memory that runs out: it is recognised, the batch is halved, and that is said once."""

import subprocess
import sys
from collections.abc import Mapping
from contextlib import contextmanager

import numpy as np
import pytest

from stream.config import EngineSettings
from stream.engine import Arrays
from stream.engines import open_engine
from stream.engines.plans import own_thread
from stream.engines.slots import HostPlan
from stream.engines.whole_frames import WholeFrames
from stream.errors import OutOfMemory
from stream.zoo import find
from tests.contracts_engine import answers, calibration, spots

HUNGRY = """
import resource
from pathlib import Path
import numpy as np
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.errors import OutOfMemory
from stream.zoo import find

side = 512
engine = open_engine(find("2d-fast"), EngineSettings(threads=1))
inputs = {name: np.full((side, side), value, "f4") for name, value in (("offset", 100), ("gain", 2), ("variance", 2))}
inputs |= {"excess": np.ones((), "f4"), "threshold": np.full((), 0.9, "f4")}
inputs |= {"context": np.zeros((2, 32, side // 2, side // 2), "f4"), "frames": np.full((40, side, side), 120, "u2")}
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 200 * 2**20,) * 2)
try:
    engine.run(inputs)
except OutOfMemory as error:
    print(error.what)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel for less memory")
def test_a_runtime_that_gets_no_memory_is_understood() -> None:
    done = subprocess.run([sys.executable, "-c", HUNGRY], capture_output=True, text=True, timeout=120)
    assert done.stdout == "the engine has no memory for 40 frames at once\n", done.stderr


@pytest.fixture
def engine():
    engine = open_engine(find("2d-fast"), EngineSettings(threads=1))
    yield engine
    engine.close()


@contextmanager
def scarce(engine, most: int):
    """Give a plan of an engine that has memory for so many frames, and its remarks."""

    def run(inputs: Mapping[str, np.ndarray]) -> Arrays:
        if len(inputs["frames"]) > most:
            raise OutOfMemory(f"the engine has no memory for {len(inputs['frames'])} frames at once")
        return engine.run(inputs)

    remarks: list[str] = []
    with own_thread() as thread:
        yield HostPlan(WholeFrames(run, engine.card, calibration(engine.card), remarks), thread), remarks


def test_a_batch_is_halved_until_it_fits_and_that_is_said_once(engine) -> None:
    pixels = spots(30)
    wanted = answers(engine.plan(calibration(engine.card)), pixels, [15, 15])
    with scarce(engine, 5) as (plan, remarks):
        np.testing.assert_array_equal(answers(plan, pixels, [15, 15]), wanted)
    assert remarks == [
        "the engine has no memory for 14 frames at once: from now on 7 frames at once",
        "the engine has no memory for 7 frames at once: from now on 3 frames at once",
    ]


def test_a_single_frame_that_does_not_fit_is_a_fault(engine) -> None:
    with scarce(engine, 0) as (plan, _), pytest.raises(OutOfMemory, match="no memory for 1 frames"):
        plan.wait(plan.submit(spots(3), anew=True))
