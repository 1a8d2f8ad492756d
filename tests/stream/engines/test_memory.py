"""Memory that really runs out: the process is allowed no more."""

import subprocess
import sys

import pytest

HUNGRY = """
import resource
from pathlib import Path
import numpy as np
from stream.config import EngineSettings
from stream.engines import open_engine
from stream.zoo import find

side, mega = 256, 2**20
engine = open_engine(find("2d-fast"), EngineSettings(threads=1))
maps = {name: np.full((side, side), value, "f4") for name, value in (("offset", 100), ("gain", 2), ("variance", 2))}
maps |= {"excess": np.ones((), "f4"), "threshold": np.full((), 0.9, "f4")}
frames = np.random.default_rng(0).poisson(120, (40, side, side)).astype("u2")
frames[:, 100:103, 100:103] += 400
plan = engine.plan(maps)
plan.wait(plan.submit(frames[:2], True))
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 100 * mega,) * 2)
scarce = plan.wait(plan.submit(frames, True))
said = list(engine.remarks)
plan.wait(plan.submit(frames, True))
assert engine.remarks == said, "said once"
print(len(scarce.table), set(scarce.frame) == set(range(39)), said, sep="\\n")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel for less memory")
def test_a_batch_is_halved_until_it_fits_and_that_is_said_once() -> None:
    done = subprocess.run([sys.executable, "-c", HUNGRY], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    rows, complete, said = done.stdout.splitlines()
    assert int(rows) >= 39
    assert complete == "True"
    assert "no memory for 39 frames at once: from now on 19 frames at once" in said
