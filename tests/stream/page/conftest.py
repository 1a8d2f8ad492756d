"""A run that is really published, and the page that follows it."""

from __future__ import annotations

import json
import shutil
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.support.ui import WebDriverWait
from websockets.sync.client import ClientConnection, connect

from models.localizations import Localizations
from stream.frame import Frame, StreamInfo
from stream.page.address import PageAddress
from stream.page.process import PageProcess, start_page
from stream.picture.render import Renderer, RenderSettings
from stream.sink import RunInfo
from stream.sinks.zmq_out import PublishSettings, ZmqOut

SIDE_PX, PIXEL_NM = 64, 100.0
WAIT_S = 30.0
IS_READY = "return document.body.dataset.ready === 'yes'"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1440,1000",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
LEDGER: dict[str, Any] = {
    "received": 120, "ringed": 120, "spilled": 0, "analysed": 100, "written": 100, "published": 100,
    "skipped": {}, "missing": {}, "refused": {}, "unaccounted": 0, "verifiable": True,
}  # fmt: skip


class Run:
    """Publishes what a test says; its sockets are served whenever the test waits for something."""

    def __init__(
        self, folder: Path, run_id: str = "run-1", settings: PublishSettings | None = None,
        channels: tuple[str, ...] = (), **rig: Any,
    ) -> None:  # fmt: skip
        self.run_id, self.is_open = run_id, True
        self.out = ZmqOut(settings or PublishSettings(address="tcp://127.0.0.1:*"))
        stream = StreamInfo(SIDE_PX, SIDE_PX, 2000, description="a simulated camera")
        watched = {"mode": "molecules", "mask": "astigmatism", "every_s": 5.0}
        device = {"mode": "on", "device": "Laser405", "property": "Voltage"}
        rig = {"policy": {"overload": "live"}, "phase": watched, "activation": device} | rig
        card = {"name": "localizer-2d"}
        warnings = ("[camera] offset_adu is not given: 100 is assumed",)
        engine = "ONNX Runtime on the CPU"
        self.out.open(RunInfo(run_id, stream, PIXEL_NM, rig, card, folder, {}, engine, warnings, channels))
        self.renderer = Renderer(SIDE_PX * PIXEL_NM, SIDE_PX * PIXEL_NM, RenderSettings(), channels)
        self.out.follow(self.renderer.changed, self.renderer.layers)

    def close(self) -> None:
        """Go away, as a process that dies does. May be called more than once."""
        self.is_open = False
        self.out.close()

    def localize(
        self, x_nm: float, y_nm: float, count: int = 20, z_nm: float = 0.0, flags: int = 0, channel: int | None = None
    ) -> None:
        """Draw molecules around a point."""
        spread = np.random.default_rng(0).normal(0, 60, (2, count))
        sigma = np.full(count, 12.0)
        columns = {"frame": np.zeros(count), "x_nm": x_nm + spread[0], "y_nm": y_nm + spread[1]}
        columns |= {"sigma_x_nm": sigma, "sigma_y_nm": sigma}
        columns |= {"z_nm": np.full(count, z_nm), "photons": np.full(count, 1000.0), "flags": np.full(count, flags)}
        columns |= {} if channel is None else {"channel": np.full(count, channel)}
        self.renderer.add(Localizations(columns))

    def preview(self, index: int = 7, side_px: int = SIDE_PX) -> None:
        """Publish a frame with a bright rectangle."""
        pixels = np.full((side_px, side_px), 100, np.uint16)
        pixels[3:12, 5:20] = 900
        self.out.preview(Frame(pixels, index, 0.35))

    def health(self, **content: Any) -> None:
        """Publish the state of a run, with what is given here instead of the usual."""
        usual = {
            "state": "running", "message": "", "frames_per_s": {"received": 50.0, "analysed": 48.5},
            "localizations_per_s": 2100.0, "localizations": 12345,
            "latency_ms": {"p50": 82.0, "p99": 131.0, "max": 340.0}, "ring": {"slots": 512, "used": 128},
            "spooled_frames": 0, "lag_frames": 20, "ledger": LEDGER, "dropped": {},
        }  # fmt: skip
        self.out.health(usual | content)

    def until(self, reached: Callable[[], Any]) -> Any:
        """Serve the sockets until a condition is met; return what it gave."""
        deadline = time.monotonic() + WAIT_S
        while not (result := reached()):
            assert time.monotonic() < deadline, "waited in vain"
            if self.is_open:
                self.out.serve(wait_s=0.02)
        return result

    def receive(self, browser: ClientConnection, topic: str) -> tuple[dict[str, Any], bytes]:
        """Serve the sockets until a browser has got a message of this topic."""
        return self.until(lambda: self.received(browser, topic))

    @staticmethod
    def received(browser: ClientConnection, topic: str) -> tuple[dict[str, Any], bytes] | None:
        """Return the next message if there is one and it is of this topic."""
        message = Run.next(browser)
        return message if message and message[0]["topic"] == topic else None

    @staticmethod
    def next(browser: ClientConnection) -> tuple[dict[str, Any], bytes] | None:
        """Return the next message if there is one."""
        try:
            return unpacked(browser.recv(timeout=0.02))
        except TimeoutError:
            return None


def unpacked(data: str | bytes) -> tuple[dict[str, Any], bytes]:
    """Take a message apart as the page's JavaScript does."""
    if isinstance(data, str):
        return json.loads(data), b""
    (size,) = struct.unpack("<I", data[:4])
    return json.loads(data[4 : 4 + size]), data[4 + size :]


@pytest.fixture(name="unpacked")
def unpacked_fixture() -> Callable[[str | bytes], tuple[dict[str, Any], bytes]]:
    return unpacked


@pytest.fixture
def ledger() -> dict[str, Any]:
    return LEDGER


@pytest.fixture
def open_stream() -> Callable[..., ClientConnection]:
    """Connects to the stream of a page, as the page's own JavaScript does."""

    def open_stream(page: PageProcess, **options: Any) -> ClientConnection:
        url = page.url.replace("http", "ws") + "stream"
        return connect(url, **{"origin": page.url.rstrip("/"), "compression": None, "max_size": None} | options)

    return open_stream


@pytest.fixture
def new_run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Makes runs; those that a test leaves open are closed."""
    runs: list[Run] = []

    def new_run(*arguments: Any, **rig: Any) -> Run:
        runs.append(Run(tmp_path, *arguments, **rig))
        return runs[-1]

    yield new_run
    for run in runs:
        run.close()


@pytest.fixture
def run(new_run: Callable[..., Run]) -> Run:
    return new_run()


@pytest.fixture
def page(run: Run) -> Iterator[PageProcess]:
    page = start_page(run.out.address, run.out.snapshot_address, PageAddress(0))
    yield page
    page.stop()


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Headless Chromium, one for all tests."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        pytest.skip("chromium and chromedriver are not installed: apt install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chromium = Chrome(options, ChromeService(driver))
    yield chromium
    chromium.quit()


@pytest.fixture
def browser(chromium: Chrome, page: PageProcess) -> Iterator[Chrome]:
    """A browser that shows the page; whatever it complains of fails the test."""
    chromium.get(page.url)
    WebDriverWait(chromium, WAIT_S).until(lambda chromium: chromium.execute_script(IS_READY))
    yield chromium
    problems = [entry["message"] for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]
    chromium.get("about:blank")
    assert not problems
