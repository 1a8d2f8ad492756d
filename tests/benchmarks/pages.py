"""What ten open pages cost the analyzer: frames per second and latency beside a run that nobody looks at.

    python tests/benchmarks/pages.py [--pages 10] [--rounds 3] [--frames 600]

The analyzer has the first core for itself; source, page process and browsers share the second: what is measured is what
pages do to the analyzer, not what the machine lacks. A browser is a WebSocket that reads whatever is sent to it,
and looks at the whole field at the finest level, the most that a page can ask for; one of them reads 1 Mbit/s. Rounds
alternate between none and all. The analyzer's processor time for a frame is given too: other work does not change it.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
import websockets
from pipeline import Silent, engine_of, pictures, rig_of

from stream.page.address import PageAddress
from stream.pipeline import Pipeline

SLOW_BITS_PER_S = 1e6
PORT = 8798
LOOKS_AT_ALL = json.dumps({"level": 0, "rows": [0, 99], "columns": [0, 99]})


async def browse(bits_per_s: float | None) -> None:
    """Read what a page is sent, for ever; at most so many bits per second."""
    origin = f"http://127.0.0.1:{PORT}"
    options = {"origin": origin, "max_size": None, "compression": None, "max_queue": 1}
    async for socket in websockets.connect(f"ws://127.0.0.1:{PORT}/stream", **options):
        try:
            await socket.send(LOOKS_AT_ALL)
            async for message in socket:
                if bits_per_s is not None:
                    await asyncio.sleep(8 * len(message) / bits_per_s)
        except websockets.ConnectionClosed:
            continue


def browsers(pages: int, core: int) -> None:
    """Be all the browsers."""
    os.sched_setaffinity(0, {core})

    async def all_of_them() -> None:
        await asyncio.gather(*(browse(SLOW_BITS_PER_S if k == 0 else None) for k in range(pages)))

    asyncio.run(all_of_them())


class Pinned(Silent):
    """Moves everything but the analyzer to another core, as soon as it is there."""

    def __init__(self, core: int) -> None:
        super().__init__()
        self._core = core

    def say(self, text: str) -> None:
        for child in psutil.Process().children(recursive=True):
            child.cpu_affinity([self._core])


@contextmanager
def opened(pages: int, core: int):
    process = multiprocessing.get_context("spawn").Process(target=browsers, args=(pages, core), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.kill()
        process.join()


def measured(stack: Path, rate: float | str, frames: int, pages: int, cores: tuple[int, int]) -> dict[str, float]:
    """Return a run's frames/s, p99 in ms, and the analyzer's processor time for a frame in ms."""
    with tempfile.TemporaryDirectory() as name, opened(pages, cores[1]):
        os.sched_setaffinity(0, {cores[0]})
        rig = rig_of({"kind": "replay", "path": str(stack), "rate": rate}, threads=1)
        pipeline = Pipeline(rig, Path(name) / "out", Pinned(cores[1]), frames, PageAddress(PORT))
        began_s = time.process_time()
        outcome = pipeline.run(engine_of(rig))
        spent_ms = 1000 * (time.process_time() - began_s) / frames
        os.sched_setaffinity(0, set(cores))
    assert outcome.error is None, outcome.error
    health = outcome.health
    return {"frames/s": health["analysing_frames_per_s"], "p99": health["latency_ms"]["p99"], "processor": spent_ms}


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=600)
    told = parser.parse_args()
    cores = tuple(sorted(os.sched_getaffinity(0))[:2])
    pairs: dict[str, list[tuple[float, float]]] = {"frames/s": [], "p99": [], "processor": []}
    with tempfile.TemporaryDirectory() as name:
        stack = pictures(Path(name), told.frames)
        half = 0.0
        for _ in range(told.rounds):
            none, many = (measured(stack, "max", told.frames, pages, cores) for pages in (0, told.pages))
            half = half or none["frames/s"] / 2
            calm = [measured(stack, half, told.frames, pages, cores) for pages in (0, told.pages)]
            for what in ("frames/s", "processor"):
                pairs[what].append((none[what], many[what]))
            pairs["p99"].append((calm[0]["p99"], calm[1]["p99"]))
            print(", ".join(f"{what} {pair[-1]}" for what, pair in pairs.items()), f"(p99 at {half:.0f}/s)", flush=True)
    for what, found in pairs.items():
        print(f"{what} with {told.pages} pages / with none: {median(many / none for none, many in found):.3f}")


if __name__ == "__main__":
    main()
