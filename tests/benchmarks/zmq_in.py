"""Frames per second through `zmq_in` from a second process, and frames missed at 90 % of the highest rate found.

    python tests/benchmarks/zmq_in.py [--seconds 60] [--size 512]

The highest rate is that of a sender that never waits for its clock, over 10 s; what is received is copied once, as
into the ring. The reference is the rate of that copy alone. A sender that is held up sends late: the rate in the last
line is then below the one asked for.
"""

import argparse
import time
from multiprocessing import get_context

import numpy as np

from stream.frame import Frame
from stream.links.send import FrameSender
from stream.sources.zmq_in import ZmqInSettings, ZmqInSource

SLOTS = 64
PROBE_S = 10.0


def send(address: str, size: int, frames: int, rate: float | None) -> None:
    """Be the camera: send so many frames, at a rate or as fast as they are taken."""
    pixels = np.random.default_rng(0).poisson(110, (SLOTS, size, size)).astype(np.uint16)
    with FrameSender(address) as sender:
        sender.wait_ready()
        began = time.perf_counter()
        for index in range(frames):
            if rate is not None and (early := began + index / rate - time.perf_counter()) > 0:
                time.sleep(early)
            sender.send(Frame(pixels[index % SLOTS], index))
        sender.end()


def receive(size: int, frames: int, rate: float | None) -> tuple[float, int, int]:
    """Return frames per second, frames missed and messages refused."""
    slots = np.empty((SLOTS, size, size), np.uint16)
    source = ZmqInSource(ZmqInSettings(address="tcp://127.0.0.1:*"))
    source.listen()
    sender = get_context("spawn").Process(target=send, args=(source.address, size, frames, rate))
    sender.start()
    source.open()
    began, received = time.perf_counter(), 0
    for frame in source.frames():
        if frame is not None:
            slots[received % SLOTS] = frame.pixels
            received += 1
    seconds = time.perf_counter() - began
    source.close()
    sender.join()
    return received / seconds, frames - received, source.refused.total()


def copies_per_s(size: int, frames: int) -> float:
    """Return how many frames are copied per second when nothing else is done."""
    there, here = np.ones((SLOTS, size, size), np.uint16), np.empty((SLOTS, size, size), np.uint16)
    began = time.perf_counter()
    for index in range(frames):
        here[index % SLOTS] = there[index % SLOTS]
    return frames / (time.perf_counter() - began)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--size", type=int, default=512)
    arguments = parser.parse_args()
    size = arguments.size
    copies = copies_per_s(size, 4000)
    probed, _, _ = receive(size, 2000, None)
    highest, missed, refused = receive(size, round(PROBE_S * probed), None)
    print(f"{'':24}{'frames/s':>10}{'MB/s':>8}{'of copy':>9}{'missed':>8}{'refused':>9}")

    def line(name: str, rate: float, missed: int, refused: int) -> None:
        print(
            f"{name:24}{rate:10.0f}{rate * size * size * 2e-6:8.0f}{rate / copies:9.2f}{missed:8d}{refused:9d}",
            flush=True,
        )

    line("copy alone", copies, 0, 0)
    line("highest", highest, missed, refused)
    frames = max(1, round(0.9 * highest * arguments.seconds))
    rate, missed, refused = receive(size, frames, 0.9 * highest)
    line(f"asked {0.9 * highest:.0f}, {frames / rate:.0f} s", rate, missed, refused)


if __name__ == "__main__":
    main()
