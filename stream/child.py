"""Processes of ours: how they begin and how they end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess


@contextmanager
def one_thread() -> Iterator[None]:
    """Have processes that start meanwhile compute on one thread: the others are the camera's and the network's."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def end(process: BaseProcess, within_s: float) -> None:
    """Wait for a process that was told to end; end it by force if it does not within `within_s`."""
    process.join(within_s)
    if process.is_alive():
        process.kill()
        process.join()
