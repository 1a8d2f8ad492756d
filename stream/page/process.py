"""The page in a process of its own: when it dies the run goes on, when the run dies it goes too."""

from __future__ import annotations

import signal
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from stream.child import end
from stream.errors import AddressError
from stream.links.feed import Origin
from stream.page.address import PageAddress

START_S = 30.0
STOP_S = 5.0


class PageProcess:
    """The page's process, made by `start_page`.

    Attributes
    ----------
    url : str
        Where a browser finds the page.
    """

    def __init__(self, process: BaseProcess, connection: Connection, url: str) -> None:
        self._process, self._connection, self.url = process, connection, url

    @property
    def alive(self) -> bool:
        """Whether the page is still served."""
        return self._process.is_alive()

    def stop(self) -> None:
        """End the process. May be called more than once, also when it has died."""
        self._connection.close()
        end(self._process, STOP_S)


def start_page(
    publish_address: str,
    snapshot_address: str,
    address: PageAddress,
    certificate: Path | None = None,
) -> PageProcess:
    """Serve the page of a run from a process of its own.

    Parameters
    ----------
    publish_address, snapshot_address : str
        Where the run publishes, and where it answers requests; it need not have begun.
    address : PageAddress
        Where browsers connect.
    certificate : Path, optional
        The CURVE certificate that the run is published with.

    Raises
    ------
    AddressError
        The port is taken, or the process did not start.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    arguments = (theirs, Origin(publish_address, snapshot_address, certificate), address)
    process = context.Process(target=_main, args=arguments, name="livesmlm-page", daemon=True)
    process.start()
    theirs.close()
    try:
        answer = ours.recv() if ours.poll(START_S) else None
    except EOFError:
        answer = None
    page = PageProcess(process, ours, str(answer))
    if isinstance(answer, str):
        return page
    page.stop()
    raise answer or AddressError(
        f"the page's process did not begin to serve (exit code {process.exitcode})",
        limit=f"it has {START_S:g} s to start",
        remedy="run without the page, and report what was printed",
    )


def _main(connection: Connection, origin: Origin, address: PageAddress) -> None:
    """Serve until the other end of the connection is closed."""
    # Ctrl-C is for the run, which ends the page when all is written.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from stream.page.serving import listen, serve  # the web server is loaded in this process alone

    try:
        listener, url = listen(address)
    except AddressError as error:
        connection.send(error)
        return
    with listener:
        serve(listener, origin, address, connection, url)
