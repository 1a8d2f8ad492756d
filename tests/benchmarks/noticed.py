"""How long it takes until a run knows that its Micro-Manager is dead, or does not answer.

    python tests/benchmarks/noticed.py [--rounds 5]

A server that stands in for Micro-Manager (`tests/stream/sources/bridge_server.py`) serves its demo camera; the whole
source process takes frames over the bridge. Then the server is killed (SIGKILL), or stopped (SIGSTOP: its connections
stay, and nothing is answered). Measured: from the signal to the error, or to the remark, in the main process.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from stream.acquisition import acquire
from stream.acquisition.ring_readers import LosslessReader
from stream.errors import LiveSMLMError
from stream.sources.micro_manager.settings import MicroManagerSettings
from stream.sources.micromanager import MicroManagerSource

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "tests" / "stream" / "sources" / "bridge_server.py"
FRAMES_BEFORE = 10
GIVE_UP_S = 60.0


def noticed(number: int, folder: Path) -> tuple[float, str]:
    """Return how many seconds after the signal something was said, and what."""
    config = ROOT / "stream" / "micromanager-demo.cfg"
    server = subprocess.Popen(
        [sys.executable, SERVER, "--config", config], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    settings = MicroManagerSettings(backend="bridge", port=int(server.stdout.readline()))
    try:
        source = partial(MicroManagerSource, settings)
        with acquire.start(source, "lossless", ring_bytes=100_000_000, folder=folder) as acquisition:
            acquisition.go()
            while acquisition.ring.unread("analyse") < FRAMES_BEFORE:
                acquisition.poll(0.01)
            reader = acquisition.ring.reader("analyse")
            server.send_signal(number)
            return told(acquisition, reader)
    finally:
        server.kill()
        server.communicate()


def told(acquisition: acquire.Acquisition, reader: LosslessReader) -> tuple[float, str]:
    """Take frames until there is an error or a remark."""
    began = time.perf_counter()
    while time.perf_counter() - began < GIVE_UP_S:
        while reader.lease(100) is not None:
            reader.release()
        try:
            acquisition.poll(0.01)
        except LiveSMLMError as error:
            return time.perf_counter() - began, error.what
        if acquisition.remarks:
            return time.perf_counter() - began, acquisition.remarks[0]
    raise SystemExit(f"nothing was said within {GIVE_UP_S:g} s")


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    for name, number in (("killed", signal.SIGKILL), ("stopped", signal.SIGSTOP)):
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as folder:
                seconds, what = noticed(number, Path(folder))
            print(f"{name:8} {seconds:5.2f} s  {what}", flush=True)


if __name__ == "__main__":
    main()
