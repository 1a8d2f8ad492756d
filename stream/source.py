"""Source protocol: where camera frames come from.

A source lives in a process of its own. It is told nothing of rings, batches or files: it yields frames.
To add one: a class that satisfies `Source`, a frozen settings model (its part of `[source]` in rig.toml),
and one line in `SOURCES` (`stream/sources/__init__.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from stream.frame import Frame, StreamInfo


class Source(Protocol):
    """Yields camera frames in the order of their index.

    What happens beside the frames it keeps in attributes, for the ledger; each may be left out.

    refused : mapping of reason to number of frames that were turned away.
    missing : dict of reason to Ranges of indices that the camera counted and nobody got, where it has no counter of its
        own. Taken, and emptied, by whoever keeps the ledger.
    suspicious : dict of reason to Ranges of frames before which something may have been lost. Taken likewise.
    actuator : what sets properties of devices (`stream/actuator.py`).
    remarks : list of sentences on how its stream ended.
    """

    def open(self) -> StreamInfo:
        """Connect or open the file; return what is known of the frames.

        Raises
        ------
        FrameFormatError, AddressError
            What the user named cannot be used (exit code 2).
        SourceFault
            The camera does not answer.
        """

    def frames(self) -> Iterator[Frame | None]:
        """Yield each frame once, in order; None after at most 50 ms without one, so that the caller can do its chores.

        Returns when the stream has ended.

        Raises
        ------
        SourceFault, FrameFormatError
            The stream broke off, or a frame is not like `StreamInfo` says. Frames yielded before are good.
        """

    def close(self) -> None:
        """Release the camera or file. May be called at any time, more than once."""
