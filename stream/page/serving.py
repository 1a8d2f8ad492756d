"""Where browsers connect: the port of the page, and the web server behind it."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from multiprocessing.connection import Connection

import uvicorn

from stream.errors import AddressError
from stream.links.feed import Origin
from stream.page.server import Server

GOODBYE_S = 1
"""How long browsers are given to close their connections."""


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """Return a listening socket and the URL of the page.

    Raises
    ------
    AddressError
        The host is not loopback, or the port is taken or not allowed.
    """
    family = _loopback_family(host)
    listener = socket.socket(family, socket.SOCK_STREAM)
    # On Windows this option would share a port that is in use; elsewhere it frees one that was just closed.
    if sys.platform != "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        raise AddressError(
            f"the page cannot use port {port} of {host}: {getattr(error, 'strerror', None) or error}",
            limit="a port is free, from 1024 to 65535",
            remedy=f"stop the program that holds it, or use another port: {_free_port(family, host)} is free",
        ) from error
    name = f"[{host}]" if family == socket.AF_INET6 else host
    return listener, f"http://{name}:{listener.getsockname()[1]}/"


def _loopback_family(host: str) -> socket.AddressFamily:
    try:
        address = ip_address(host)
        is_loopback = address.is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise AddressError(
            f"the page cannot be served at {host}",
            limit="127.0.0.1 or ::1: only this computer may reach it, because it asks for no password",
            remedy="from another computer, forward the port: ssh -L 8765:127.0.0.1:8765 THIS-COMPUTER",
        )
    return socket.AF_INET6 if address.version == 6 else socket.AF_INET


def _free_port(family: socket.AddressFamily, host: str) -> int:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class _WebServer(uvicorn.Server):
    """Leaves the signals of the process alone, says when it serves, and shows browsers the end of the run."""

    def __init__(self, config: uvicorn.Config, page: Server, lifeline: Connection, url: str) -> None:
        super().__init__(config)
        self._page, self._lifeline, self._url = page, lifeline, url

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._lifeline.send(self._url)
        threading.Thread(target=self._end_with_parent, daemon=True).start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._page.settle()
        await super().shutdown(sockets)

    def _end_with_parent(self) -> None:
        self._lifeline.poll(None)  # true when the other end is closed, also by a crash
        self.should_exit = True


def serve(listener: socket.socket, origin: Origin, lifeline: Connection, url: str) -> None:
    """Serve the page; send its URL through `lifeline`, and return when the other end of that is closed."""
    page = Server(origin)
    config = uvicorn.Config(
        page.app(), ws="websockets-sansio", ws_per_message_deflate=False, lifespan="on",
        timeout_graceful_shutdown=GOODBYE_S, log_level="error", access_log=False,
    )  # fmt: skip
    _WebServer(config, page, lifeline, url).run(sockets=[listener])
