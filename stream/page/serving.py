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
from stream.page.address import PageAddress
from stream.page.server import Server

MAX_MESSAGE_BYTES = 1 << 18
"""Of what a browser sends: its view, and at most 10,000 tiles that it forgot."""
GOODBYE_S = 1
"""How long browsers are given to close their connections."""


def listen(address: PageAddress) -> tuple[socket.socket, str]:
    """Return a listening socket and the URL of the page.

    Raises
    ------
    AddressError
        The port is taken or not allowed, or the host is not this computer.
    """
    host, port = address.host, address.port
    listener = socket.socket(address.family, socket.SOCK_STREAM)
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
            limit="a free port, from 1024 to 65535, of an address of this computer",
            remedy=f"stop the program that holds it, or use another port: {_free_port(address)} is free",
        ) from error
    return listener, f"http://{_name(address)}:{listener.getsockname()[1]}/"


def _name(address: PageAddress) -> str:
    """Return what to type into a browser: an address that stands for all is none."""
    if ip_address(address.host).is_unspecified:
        return socket.gethostname()
    return f"[{address.host}]" if address.family == socket.AF_INET6 else address.host


def _free_port(address: PageAddress) -> int:
    with socket.socket(address.family, socket.SOCK_STREAM) as probe:
        probe.bind(("", 0))
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


def serve(listener: socket.socket, origin: Origin, address: PageAddress, lifeline: Connection, url: str) -> None:
    """Serve the page; send its URL through `lifeline`, and return when the other end of that is closed."""
    page = Server(origin, address)
    config = uvicorn.Config(
        page.app(), ws="websockets-sansio", ws_per_message_deflate=False, ws_max_size=MAX_MESSAGE_BYTES, lifespan="on",
        timeout_graceful_shutdown=GOODBYE_S, log_level="critical", access_log=False,
    )  # fmt: skip
    _WebServer(config, page, lifeline, url).run(sockets=[listener])
