"""Fixtures for every test: the data sets beside the project, and a watch for what a test leaves behind."""

import os
import threading
from multiprocessing import active_children
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data sets that are not part of the project."""
    folder = Path(os.environ.get("LIVESMLM_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no data sets in {folder}: set LIVESMLM_SHARED_DATA")
    return folder


def shared_memory_blocks() -> set[str]:
    """Blocks whose maker is this process or gone; those of a run beside the tests are none of our business."""
    blocks = (block.name for block in Path("/dev/shm").glob("livesmlm-*"))
    makers = {name: int(name.split("-")[1]) for name in blocks}
    return {name for name, pid in makers.items() if pid == os.getpid() or not Path(f"/proc/{pid}").exists()}


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest):
    """Fail a test that leaves a thread, a process or a shared-memory block."""
    makes_blocks = request.node.nodeid.startswith("tests/stream")  # others run beside those that do
    threads, blocks = set(threading.enumerate()), shared_memory_blocks()
    yield
    for child in active_children():
        child.join(timeout=5)
    assert not active_children(), f"processes left: {active_children()}"
    left = {thread for thread in set(threading.enumerate()) - threads if thread.is_alive() and not thread.daemon}
    for thread in left:
        thread.join(timeout=5)
    assert not {thread.name for thread in left if thread.is_alive()}, f"threads left: {left}"
    assert not makes_blocks or shared_memory_blocks() <= blocks, (
        f"shared memory left: {shared_memory_blocks() - blocks}"
    )
