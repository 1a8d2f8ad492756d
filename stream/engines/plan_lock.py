"""A lock between processes on a file; the operating system gives it back if its holder dies."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import errno
    import msvcrt

    def _try(file: IO[bytes], how: int = msvcrt.LK_NBLCK) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), how, 1)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EDEADLOCK):
                raise
            return False
        return True

    def _wait(file: IO[bytes]) -> None:
        while not _try(file, msvcrt.LK_LOCK):  # which tries ten times, a second apart, and gives up
            pass

    def _let_go(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _let_go(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock on a file, which is made and stays.

    Parameters
    ----------
    path : Path
    waiting : callable
        Called once if another process holds it.

    Raises
    ------
    OSError
        The file cannot be made, or its file system knows no locks.
    """
    with path.open("ab") as file:
        if not _try(file):
            waiting()
            _wait(file)
        try:
            yield
        finally:
            _let_go(file)
