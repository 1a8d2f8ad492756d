"""Stops the camera of a running Micro-Manager when our process has been killed and cannot.

A process of its own, that of `PROGRAM`. It hears `running` and `ended` on its input; if that ends while a sequence
runs, it stops the camera.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress

from stream.errors import LiveSMLMError
from stream.sources.micro_manager.core import over_bridge
from stream.sources.micro_manager.heartbeat import Heartbeat

WITHIN_S = 10.0
PROGRAM = f"""
import sys
words = sys.stdin.buffer.read().split()
if words[-1:] == [b"running"]:
    from {__name__} import stop_camera
    stop_camera(int(sys.argv[1]))
"""
"""Imports only when there is something to stop, so that it starts and ends at once."""


class Guard:
    """The other end of the guard's input. It starts no process before a sequence runs.

    Parameters
    ----------
    port : int
        Of Micro-Manager.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, running: bool) -> None:
        """Tell the guard that a sequence of ours begins or has ended."""
        if self._process is None:
            command = [sys.executable, "-c", PROGRAM, str(self._port)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # a guard that was killed is missed only if we are killed too
            self._process.stdin.write(b"running\n" if running else b"ended\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """End the guard; it stops the camera if it was not told that the sequence has ended."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


def stop_camera(port: int) -> None:
    """Stop the sequence, and end this process; if Micro-Manager is gone too, there is none to stop."""
    give_up = threading.Timer(WITHIN_S, os._exit, (1,))  # a call to a dead server never returns
    give_up.daemon = True
    give_up.start()
    try:
        Heartbeat(port).close()
    except LiveSMLMError:
        os._exit(0)
    over_bridge(port).stop_sequence_acquisition()
    os._exit(0)  # exit handlers of the bridge might wait for a server that is gone
