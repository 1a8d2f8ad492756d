"""Is a Micro-Manager there, and is it still: a connection of our own beside that of the bridge.

Decision: the bridge's own socket is not asked. Context: a server that dies leaves its clients waiting for ever.
Consequence: one more idle client, whose connection the system closes with the server.
"""

from __future__ import annotations

import json
import time
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from stream.errors import SourceFault

ANSWER_S = 2.0
TICK_MS = 20
KNOWN_SERVER = "5.1.0"
REMEDY = "start Micro-Manager, set Tools > Options > Run server on port, and give the same port in [source]"


class Heartbeat:
    """A connection to the server at a port of this computer.

    Parameters
    ----------
    port : int

    Attributes
    ----------
    version : str
        Of the server's protocol.

    Raises
    ------
    SourceFault
        Nothing listens at the port, or what does is not Micro-Manager.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.REQ)
        self._monitor = self._socket.get_monitor_socket()
        self._socket.linger = 0
        self._lost = False
        try:
            self._socket.connect(f"tcp://127.0.0.1:{port}")
            self._socket.send(json.dumps({"command": "connect", "debug": False}).encode())
            self.version = self._version(self._answer())
        except BaseException:
            self.close()
            raise

    def _answer(self) -> bytes:
        end_s = time.monotonic() + ANSWER_S
        while time.monotonic() < end_s:
            if self._socket.poll(TICK_MS):
                return self._socket.recv_multipart()[0]
            if self._events() & (zmq.EVENT_CLOSED | zmq.EVENT_CONNECT_RETRIED):
                raise SourceFault(
                    f"nothing listens at port {self._port} of this computer",
                    limit="a running Micro-Manager listens at 4827 if nothing else is set",
                    remedy=REMEDY,
                )
        raise self._stranger(f"it gave no answer within {ANSWER_S:g} s")

    def _version(self, answer: bytes) -> str:
        try:
            message: dict[str, Any] = json.loads(answer.decode("iso-8859-1"))
            return str(message["version"])
        except (ValueError, KeyError, TypeError):
            raise self._stranger(f"it answered {answer[:40]!r}") from None

    def _stranger(self, why: str) -> SourceFault:
        return SourceFault(
            f"what listens at port {self._port} is not Micro-Manager: {why}",
            limit="Micro-Manager's server answers to `connect` with its version",
            remedy=REMEDY,
        )

    def _events(self) -> int:
        """Return what happened to the connection since the last time, as bits."""
        events = 0
        while self._monitor.poll(0):
            events |= int(recv_monitor_message(self._monitor)["event"])
        return events

    def gone(self) -> bool:
        """Return True once the server has closed the connection, as it does when it dies."""
        self._lost |= bool(self._events() & (zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED))
        return self._lost

    def close(self) -> None:
        """Close the connection. May be called again."""
        self._socket.disable_monitor()
        self._socket.close()
        self._context.destroy(linger=0)
