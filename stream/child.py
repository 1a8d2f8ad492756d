"""Ending a process of ours."""

from __future__ import annotations

from multiprocessing.process import BaseProcess


def end(process: BaseProcess, within_s: float) -> None:
    """Wait for a process that was told to end; end it by force if it does not within `within_s`."""
    process.join(within_s)
    if process.is_alive():
        process.kill()
        process.join()
