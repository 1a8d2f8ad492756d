"""A small rig, and the command as a user calls it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RIG = """
[camera]
pixel_size_nm = 100
offset_adu = 100
gain_e_per_adu = 0.5
[source]
kind = "simulated"
width_px = 64
height_px = 64
frames_per_s = {rate}
density_per_um2 = 0.1
structure = "uniform"
[engine]
threads = 1
[publish]
address = "tcp://127.0.0.1:*"
"""


@pytest.fixture
def rig(tmp_path: Path) -> Callable[..., Path]:
    """Write a rig; `more` is added, `rate` is the camera's."""

    def write(more: str = "", rate: object = 200, text: str = RIG) -> Path:
        path = tmp_path / "rig.toml"
        path.write_text(text.format(rate=rate) + more)
        return path

    return write


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "stream.cli", *map(str, arguments)]


@pytest.fixture
def livesmlm() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call the command and wait for its end; wide enough that messages are not wrapped."""

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "COLUMNS": "400"}
        return subprocess.run(
            command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=120, env=environment, check=False
        )

    return call
