"""A real run and its page, from the command to the alarm: a sample that goes out of focus, and a run after it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By

from stream.config import validate
from stream.opening import source_of

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[3]
WAIT_S = 90.0
SHARP, BLURRED, FRAMES_PER_S = 500, 1000, 50
CAMERA = {"pixel_size_nm": 100, "gain_e_per_adu": 0.5, "offset_adu": 100, "read_noise_e": 1.5}
RIG = """
[camera]
pixel_size_nm = 100
gain_e_per_adu = 0.5
offset_adu = 100
read_noise_e = 1.5
[source]
kind = "replay"
path = "{stack}"
rate = {rate}
[model]
name = "localizer-2d"
[engine]
threads = 1
[publish]
address = "tcp://127.0.0.1:*"
snapshot_address = "tcp://127.0.0.1:*"
"""


def frames(count: int, **scene: object) -> np.ndarray:
    """Frames of a uniform sample."""
    source = {
        "kind": "simulated", "width_px": 48, "height_px": 48, "frames": count, "frames_per_s": "max",
        "structure": "uniform", "density_per_um2": 0.3, **scene,
    }  # fmt: skip
    camera = source_of(validate({"camera": CAMERA, "source": source}, "a test"))
    camera.open()
    return np.stack([frame.pixels for frame in camera.frames() if frame is not None])


def until(reached: Callable[[], object], what: str) -> object:
    end_s = time.monotonic() + WAIT_S
    while not (found := reached()):
        assert time.monotonic() < end_s, what
        time.sleep(0.1)
    return found


class Command:
    """`livesmlm run`, and where its page is."""

    def __init__(self, rig: Path, out: Path, port: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stream.cli", "run", str(rig), "--out", str(out), "--port", str(port)],
            cwd=ROOT, stderr=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "200", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        lines = iter(self.process.stderr.readline, "")
        self.url = next(found[0] for line in lines if (found := re.search(r"http://\S+/", line)))

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        return self.process.returncode


def words(browser: Chrome, name: str) -> str:
    return browser.find_element(By.ID, name).text


def everything(browser: Chrome) -> str:
    return browser.find_element(By.TAG_NAME, "body").text.lower()


def count(browser: Chrome) -> int:
    return int(re.sub(r"\D", "", words(browser, "localizations")) or 0)


def press(browser: Chrome, key: str) -> None:
    ActionChains(browser).send_keys(key).perform()


def test_from_the_first_localization_to_the_alarm_and_to_the_next_run(chromium: Chrome, tmp_path: Path) -> None:
    sharp = frames(SHARP, seed=1)
    np.save(tmp_path / "stack.npy", np.concatenate((sharp, frames(BLURRED, seed=2, zernike_waves={4: 0.17}))))
    (tmp_path / "rig.toml").write_text(RIG.format(stack=tmp_path / "stack.npy", rate=FRAMES_PER_S))
    first = Command(tmp_path / "rig.toml", tmp_path / "one", 0)
    try:
        chromium.get(first.url)
        before = until(lambda: count(chromium), "no localization was shown")
        until(lambda: count(chromium) > before, "the picture does not grow")
        width_um = words(chromium, "scale-text")
        press(chromium, 10 * "+")
        until(lambda: words(chromium, "scale-text") != width_um, "zooming changes the scale")
        press(chromium, "c")
        until(lambda: "photo" in chromium.page_source.lower(), "there is no colour by photons")
        until(lambda: "out of focus" in everything(chromium), "no alarm tells of the focus")
        assert "refocus" in everything(chromium)
        problems = [entry["message"] for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]
        assert problems == []
    finally:
        first.end(signal.SIGINT)
    assert first.process.returncode == 0
    port = int(re.search(r":(\d+)/", first.url)[1])
    second = Command(tmp_path / "rig.toml", tmp_path / "two", port)
    try:
        until(lambda: words(chromium, "state") == "running", "the page does not come back by itself")
        assert "out of focus" not in everything(chromium)
    finally:
        second.end(signal.SIGINT)
        chromium.get("about:blank")
        chromium.get_log("browser")
