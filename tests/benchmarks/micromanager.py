"""Frames from Micro-Manager's demo camera into the ring, beside a bare loop that takes them out of its buffer.

    python tests/benchmarks/micromanager.py [--seconds 60] [--size 512]

Reference: a loop of `pop_next_tagged_image` alone, as fast as the camera gives frames (Fluorescent Beads, exposure 0).
Then the whole source process: the same camera, every frame checked, numbered and copied into the ring, from which this
process takes it. Both have processes of their own, in turn, `--rounds` times `--trial-seconds`; the median of the
rounds' ratios counts, since other work on the computer comes and goes. Last,
the exposure is the least of whole milliseconds that gives at most 90 % of the ring's rate, for `--seconds`: what is
missing, suspicious or not taken is counted.
"""

import argparse
import tempfile
import time
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

from stream.acquisition import acquire
from stream.acquisition.batcher import Batcher
from stream.sources.micro_manager.core import in_process
from stream.sources.micro_manager.settings import MicroManagerSettings
from stream.sources.micromanager import IDLE_S, MOST_FRAMES, MicroManagerSource

DEMO = Path(__file__).parents[2] / "stream" / "micromanager-demo.cfg"
BUFFER_MB = 1024
RING_BYTES = 512_000_000


def configuration(folder: Path, size: int) -> Path:
    """Write the demo's configuration for a field of `size` pixels and no exposure."""
    path = folder / f"{size}.cfg"
    path.write_text(DEMO.read_text().replace("Size,256", f"Size,{size}").replace("Exposure,20", "Exposure,0"))
    return path


def bare(config: Path, seconds: float, result: Connection) -> None:
    """Send how many frames per second a loop takes that does nothing with them."""
    core = in_process("auto", config, BUFFER_MB)
    core.start_sequence_acquisition(MOST_FRAMES, 0.0, True)
    taken, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(waiting := core.get_remaining_image_count()):
            core.pop_next_tagged_image()
        taken += waiting
        if not waiting:  # without a rest it holds the buffer's lock, and the camera waits for it
            time.sleep(IDLE_S)
    rate = taken / (time.perf_counter() - began)
    core.stop_sequence_acquisition()
    result.send((rate, core.is_buffer_overflowed()))


def bare_rate(config: Path, seconds: float) -> tuple[float, bool]:
    """Return the rate of the bare loop, and whether the buffer overflowed."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=bare, args=(config, seconds, theirs))
    process.start()
    found: tuple[float, bool] = ours.recv()
    process.join()
    return found


def ring_rate(config: Path, seconds: float, exposure_ms: float | None) -> tuple[float, int, int, dict[str, int]]:
    """Return frames per second out of the ring, frames received, frames not taken, and what the ledger calls wrong."""
    settings = MicroManagerSettings(config_file=config, buffer_mb=BUFFER_MB, exposure_ms=exposure_ms)
    taken, began, asked = 0, 0.0, False
    with tempfile.TemporaryDirectory() as folder:
        source = partial(MicroManagerSource, settings)
        with acquire.start(source, "lossless", ring_bytes=RING_BYTES, folder=Path(folder)) as acquisition:
            batcher = Batcher(acquisition.ring.reader("analyse"), frames=32, deadline_s=0.02, wait=acquisition.poll)
            acquisition.go()
            while (batch := batcher.next()) is not None:
                began = began or time.perf_counter()
                acquisition.ledger.analyse(batch.index.tolist())
                batcher.done()
                if not asked:
                    taken, lasted = taken + len(batch), time.perf_counter() - began
                    if asked := lasted >= seconds:
                        acquisition.request_stop()
                acquisition.poll()
            acquisition.join()
            totals = acquisition.ledger.summary()
    wrong = totals["missing"] | totals["suspicious"] | totals["refused"]
    return taken / lasted, totals["received"], totals["lag"], wrong | {"spilled": totals["spilled"]}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--trial-seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = configuration(Path(folder), options.size)
        bares, ours = [], []
        for _ in range(options.rounds):
            bares.append(bare_rate(config, options.trial_seconds)[0])
            rate, received, lag, wrong = ring_rate(config, options.trial_seconds, None)
            ours.append(rate)
            print(
                f"bare {bares[-1]:.0f}, ring {rate:.0f} frames/s; {received} received, {lag} lost, {wrong}", flush=True
            )
        rate, ratio = median(ours), median(our / bare for our, bare in zip(ours, bares, strict=True))
        print(f"bare loop        {median(bares):8.0f} frames/s  1.00")
        print(f"out of the ring  {rate:8.0f} frames/s  {ratio:.2f}", flush=True)
        exposure_ms = float(-(-1000 // (0.9 * rate)))
        rate, received, lag, wrong = ring_rate(config, options.seconds, exposure_ms)
        print(
            f"{exposure_ms:g} ms, {options.seconds:g} s   {rate:8.0f} frames/s        "
            f"{received} received, {lag} lost, {wrong}"
        )


if __name__ == "__main__":
    main()
