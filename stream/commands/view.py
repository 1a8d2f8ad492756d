"""`livesmlm view`: the page of a run that is over, or of one that is published somewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from stream.commands.console import ERR
from stream.errors import SourceFault
from stream.interrupt import Interrupts
from stream.links.sockets import next_port
from stream.page.address import PageAddress
from stream.page.process import PageProcess, start_page
from stream.review import Review

TICK_S = 0.1
LISTENS_WITHIN_S = 10.0


def view_folder(folder: Path, page_address: PageAddress) -> int:
    """Show a finished run until Ctrl-C; returns the exit code."""
    with closing(Review(folder)) as review, Interrupts() as interrupts:
        review.open()
        page = start_page(review.out.address, review.out.snapshot_address, page_address)
        with closing(_Shown(page, str(folder), interrupts, page_address.caution)) as shown:
            review.out.wait_ready(1, LISTENS_WITHIN_S)
            review.tell()
            for _ in review.draw():
                if interrupts.asked:
                    break
            shown.wait(lambda: review.out.serve(TICK_S))
    return 0


def view_address(address: str, snapshots: str | None, certificate: Path | None, page_address: PageAddress) -> int:
    """Show a run that is published, now or later, until Ctrl-C; returns the exit code."""
    page = start_page(address, snapshots or next_port(address), page_address, certificate)
    with Interrupts() as interrupts, closing(_Shown(page, address, interrupts, page_address.caution)) as shown:
        shown.wait(lambda: time.sleep(TICK_S))
    return 0


class _Shown:
    """A page that is told of, and closed at the end."""

    def __init__(self, page: PageProcess, what: str, interrupts: Interrupts, caution: str) -> None:
        self._page, self._interrupts = page, interrupts
        ERR.print(f"{what}: [bold]{page.url}[/]  (Ctrl-C ends)", highlight=False)
        if caution:
            ERR.print(f"[yellow]warning:[/] {caution}", highlight=False)

    def wait(self, tick: Callable[[], object]) -> None:
        """Call `tick` until Ctrl-C. Raises SourceFault if the page dies."""
        while not self._interrupts.asked:
            if not self._page.alive:
                raise SourceFault("the page's process died", remedy="see what it printed above, and start it again")
            tick()

    def close(self) -> None:
        self._page.stop()
