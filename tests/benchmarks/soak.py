"""A night of ten hours at a hundredfold speed: does the memory of the page's server and of the page stay flat?

    python tests/benchmarks/soak.py [--hours 10] [--speed 100]

What a short run has published (health, statistics, drift, resolution, actions) is published again and again, with the
clock of the run a hundred times as fast, and tiles change all the time; headless Chromium has the page open. Needs
`chromium` and `chromedriver`. Printed: memory of the server's process that is its own, and the page's heap of
JavaScript after a collection, ten times over the night.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from demo import browser
from pipeline import Silent, engine_of, rig_of

from models.localizations import Localizations
from stream.books.story import read_story
from stream.page.address import PageAddress
from stream.page.process import start_page
from stream.pipeline import Pipeline
from stream.review import Review
from stream.sinks.zmq_out import PublishSettings, ZmqOut

PARTS = 10
EVERY_S = {"health": 0.5, "statistics": 2.0, "drift": 5.0, "resolution": 10.0, "action": 30.0}
"""Of the run's own time."""


def short_run(folder: Path) -> Review:
    """A run that has published each topic."""
    source = {
        "kind": "simulated", "width_px": 128, "height_px": 128, "frames": 400, "frames_per_s": "max",
    }  # fmt: skip
    rig = rig_of(source, 1)
    on = {"mode": "on", "every_s": 0.5}
    rig = rig.model_copy(update={"resolution": rig.resolution.model_copy(update=on)})
    Pipeline(rig, folder, Silent(), 400).run(engine_of(rig))
    return Review(folder)


class Night:
    """Publishes at the run's own, fast clock."""

    def __init__(self, review: Review, speed: float) -> None:
        self._began_s, self._speed = time.monotonic(), speed
        self._lines = {line.topic: line for line in read_story(review.info.folder)}
        self.out = ZmqOut(PublishSettings(address="tcp://127.0.0.1:*"), self.clock)
        self.out.open(review.info)
        self._due = dict.fromkeys(EVERY_S, 0.0)
        self._random = np.random.default_rng(0)
        side_nm = 128 * review.info.pixel_size_nm
        from stream.picture.render import Renderer, RenderSettings

        self._renderer, self._side_nm = Renderer(side_nm, side_nm, RenderSettings()), side_nm
        self.out.follow(self._renderer.changed, self._renderer.layers)
        self.sent = 0

    def clock(self) -> float:
        return (time.monotonic() - self._began_s) * self._speed

    def serve(self) -> None:
        """Publish what is due."""
        now_s = self.clock()
        for topic, every_s in EVERY_S.items():
            while topic in self._lines and self._due[topic] <= now_s:
                line = self._lines[topic]
                header = {**line.header, "run_s": self._due[topic], "state": "running"}
                self.out.replay(topic, header, line.payload)
                self._due[topic] += every_s
                self.sent += 1
        x_nm, y_nm = self._random.uniform(0, self._side_nm, (2, 50))
        ten = np.full(50, 10.0)
        columns = {"frame": np.full(50, int(now_s)), "x_nm": x_nm, "y_nm": y_nm, "photons": 100 * ten}
        self._renderer.add(Localizations(columns | {"sigma_x_nm": ten, "sigma_y_nm": ten}))
        self.out.serve(0.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--speed", type=float, default=100.0)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        night = Night(short_run(Path(name) / "run"), told.speed)
        page = start_page(night.out.address, night.out.snapshot_address, PageAddress(0))
        (server,) = (child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline()))
        with browser() as chromium:
            chromium.get(page.url)
            for part in range(1, PARTS + 1):
                while night.clock() < part * told.hours * 3600 / PARTS:
                    night.serve()
                chromium.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
                heap = chromium.execute_cdp_cmd("Runtime.getHeapUsage", {})["usedSize"] / 1e6
                own = server.memory_full_info().uss / 1e6
                print(f"{night.clock() / 3600:5.1f} h  server {own:6.1f} MB  page {heap:5.1f} MB", flush=True)
        page.stop()
        night.out.close()
        print(f"{night.sent} messages beside the tiles")


if __name__ == "__main__":
    main()
