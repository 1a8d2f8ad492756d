"""What is done with frames that come faster than they are analysed: kept on disk, or passed over and counted.

| policy | when the ring is full |
|---|---|
| lossless | the source waits if it can, else frames go to the spool; the ring is fed from the spool, in order |
| live | the analyzer reads newest-wins: the oldest frames that it has not taken are overwritten |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from stream.acquisition.ring import Ring
from stream.acquisition.ring_memory import Kind
from stream.acquisition.spool import Spool
from stream.books.ledger import OVERLOAD, Ledger
from stream.errors import StorageFault
from stream.frame import Frame

Policy = Literal["lossless", "live"]
READER_KIND: Mapping[Policy, Kind] = {"lossless": "lossless", "live": "newest"}
UNSPOOLED = "could not be spooled"


class Feed(Protocol):
    """Puts the frames of a source where the analyzer finds them."""

    def put(self, frame: Frame) -> None:
        """Take a frame that was received. Raises StorageFault if it cannot be kept; the ledger says so."""

    def pump(self) -> None:
        """Move on what waits, as far as that goes at once."""

    @property
    def waiting(self) -> int:
        """Number of frames that are not in the ring yet."""

    def rescue(self) -> None:
        """Bring to disk what the analyzer, which is gone, has not given back, and all frames that follow."""


class Lossless:
    """Keeps every frame, in order: in the ring, or behind it in the spool.

    Parameters
    ----------
    ring : Ring
    spool : Spool
    ledger : callable
        Gives the ledger in which to note what happens now.
    wait : callable or None
        For a source that can be made to wait: does the chores while the ring is full. None: spill.
    """

    def __init__(self, ring: Ring, spool: Spool, ledger: Callable[[], Ledger], wait: Callable[[], None] | None) -> None:
        self._ring, self._spool, self._ledger, self._wait = ring, spool, ledger, wait
        self._reader_gone = False

    @property
    def waiting(self) -> int:
        """Number of frames in the spool that have a place to go to."""
        return 0 if self._reader_gone else len(self._spool)

    def put(self, frame: Frame) -> None:
        """Write the frame into the ring, or behind those that wait in the spool."""
        while self._wait is not None and self._ring.full and not self._reader_gone:
            self._wait()
        self.pump()
        if not self._reader_gone and not len(self._spool) and self._ring.write(frame):
            self._ledger().ringed.add(frame.index)
        else:
            self._spill(frame)

    def _spill(self, frame: Frame) -> None:
        try:
            self._spool.append(frame)
        except StorageFault:
            self._ledger().skip(frame.index, frame.index, UNSPOOLED)
            raise
        self._ledger().spilled.add(frame.index)

    def pump(self) -> None:
        """Feed the ring from the spool."""
        while self.waiting and not self._ring.full:
            frame = self._spool.pop()
            self._ring.write(frame)
            self._ledger().ringed.add(frame.index)

    def rescue(self) -> None:
        """Copy the unread frames of the ring to the spool, in front of what is there."""
        self._reader_gone = True
        oldest_on_disk, fault = self._spool.oldest_on_disk, None
        self._spool.cut()
        for frame in self._ring.kept():
            if oldest_on_disk is None or frame.index < oldest_on_disk:
                try:
                    self._spill(frame)
                except StorageFault as error:  # go on: each frame is noted for itself
                    fault = error
        self._spool.cut()
        if fault is not None:
            raise fault


class Live:
    """Never waits: what the analyzer has not taken in time is overwritten. A recorder may read losslessly, though.

    Parameters
    ----------
    ring : Ring
    ledger : callable
        Gives the ledger in which to note what happens now.
    """

    def __init__(self, ring: Ring, ledger: Callable[[], Ledger]) -> None:
        self._ring, self._ledger = ring, ledger

    waiting = 0

    def put(self, frame: Frame) -> None:
        """Write the frame into the ring; skip it if a lossless reader (a recorder) holds the ring up."""
        if self._ring.write(frame):
            self._ledger().ringed.add(frame.index)
        else:
            self._ledger().skip(frame.index, frame.index, OVERLOAD)

    def pump(self) -> None:
        """Do nothing: nothing waits."""

    def rescue(self) -> None:
        """Do nothing: what nobody takes is passed over."""
