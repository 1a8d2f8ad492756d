"""The public client of a run: `livesmlm` publishes, this follows, from any program on the same computer or another.

    with stream.subscribe("tcp://127.0.0.1:5557") as subscription:
        for message in subscription:
            if message.topic == "table" and message.payload is not None:
                print(message.payload["x_nm"])

What was published before comes first (`start`, every tile, the newest health, ...; not earlier tables), then what comes
live, without a gap and without repetition. What the network or a slow reader loses is counted in `lost`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import zmq

from stream.errors import AddressError, InputError, SourceFault
from stream.links.messages import TOPICS, Message, pack_header, unpack, unpack_snapshot
from stream.links.sockets import connect, next_port

# Whatever was asked for: a reader must learn that the run is over, and that it is alive while its topics are quiet.
ALWAYS = ("end", "health")


class Subscription:
    """What a run publishes, message by message. Iterating ends with the message `end`. Used by one thread only.

    Made by `subscribe`.

    Attributes
    ----------
    lost : dict
        Topic to the number of its messages that were published but did not arrive.
    """

    def __init__(
        self, address: str, snapshot_address: str, topics: Sequence[str], timeout_s: float, certificate: Path | None
    ) -> None:
        self.address, self._timeout_s = address, timeout_s
        self._asked = {*topics, "end"}
        self._topics = tuple(dict.fromkeys((*topics, *ALWAYS)))
        self._heard_s = time.monotonic()
        self.lost = dict.fromkeys(self._topics, 0)
        self._run_id = ""
        self._next: dict[str, int] = {}
        self._waiting: deque[Message] = deque()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._live, self._requests = self._context.socket(zmq.SUB), self._context.socket(zmq.DEALER)
        try:
            connect(self._live, address, certificate)
            connect(self._requests, snapshot_address, certificate)
            for topic in self._topics:
                self._live.subscribe(topic)
            self._take_snapshot()
        except BaseException:
            self.close()
            raise

    def receive(self, timeout_s: float) -> Message | None:
        """Return the next message of the topics asked for, or `end`; None if none came within `timeout_s`.

        Raises
        ------
        FrameFormatError, TableFormatError, AddressError
            What was received is not what this program understands.
        """
        until = time.monotonic() + timeout_s
        while (message := self._any(until)) is not None:
            if message.topic in self._asked:
                return message
        return None

    def __iter__(self) -> Iterator[Message]:
        """Yield messages up to and with `end`.

        Raises
        ------
        SourceFault
            Nothing came for as long as `timeout_s`, or the publisher is not understood (as `receive`).
        """
        while True:
            message = self.receive(self._timeout_s)
            if message is None and time.monotonic() - self._heard_s < self._timeout_s:
                continue
            if message is None:
                raise SourceFault(
                    f"{self.address} has been silent for {self._timeout_s:g} s",
                    limit="a run publishes its health every second, and `end` when it is over",
                    remedy="see whether the run is still there, or give a longer timeout_s",
                )
            yield message
            if message.topic == "end":
                return

    def report(self, action: Mapping[str, Any]) -> None:
        """Tell the run what was done with what it published: it publishes that as `action`, and keeps it in its record.

        Parameters
        ----------
        action : mapping
            The fields of `stream.links.reports.Report`.

        Raises
        ------
        InputError
            The run does not take the report.
        AddressError
            Nobody answers.
        """
        answer = self._ask(b"action", pack_header(action))
        if answer[0] != b"action":
            raise InputError(
                f"the run takes no report {dict(action)}: {b' '.join(answer[1:]).decode(errors='replace')}",
                limit="a report has the fields of stream/links/reports.py",
            )

    def _any(self, until: float) -> Message | None:
        """Return the next message of whatever topic; None if none came until then (monotonic, s)."""
        while not self._waiting:
            if not self._live.poll(max(0, int(1000 * (until - time.monotonic())))):
                return None
            message, self._heard_s = unpack(self._live.recv_multipart()), time.monotonic()
            if self._is_new(message):
                return message
        return self._waiting.popleft()

    def close(self) -> None:
        """Disconnect. May be called more than once."""
        self._context.destroy(linger=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_snapshot(self) -> None:
        """Wait until the subscriptions are in effect, then ask for all that was published before."""
        token = uuid4().hex
        self._live.subscribe(f"ready/{token}")
        self._ask(b"ready", token.encode())
        answer = self._ask(b"snapshot", " ".join(self._topics).encode())
        self._run_id, self._next, messages = unpack_snapshot(answer)
        self._waiting.extend(messages)

    def _ask(self, *request: bytes) -> list[bytes]:
        self._requests.send_multipart(request)
        if not self._requests.poll(int(1000 * self._timeout_s)):
            raise AddressError(
                f"nobody publishes at {self.address}: no answer within {self._timeout_s:g} s",
                limit="a run answers at once",
                remedy="start the run first, and use the address that it printed",
            )
        return self._requests.recv_multipart()

    def _is_new(self, message: Message) -> bool:
        """Count what was lost before this message; False for one that the snapshot held already."""
        topic, header = message.topic, message.header
        if header["run_id"] != self._run_id:
            self._run_id, self._next = header["run_id"], {}
        expected = self._next.get(topic, 0)
        if header["sequence"] < expected:
            return False
        self.lost[topic] += header["sequence"] - expected
        self._next[topic] = header["sequence"] + 1
        return True


def subscribe(
    address: str,
    snapshot_address: str | None = None,
    topics: Sequence[str] = TOPICS,
    timeout_s: float = 30.0,
    certificate: Path | None = None,
) -> Subscription:
    """Follow a run.

    Parameters
    ----------
    address : str
        Where the run publishes, like `tcp://127.0.0.1:5557`.
    snapshot_address : str, optional
        Where it answers requests; one port above `address` if not given.
    topics : sequence of str
        Which of `stream.links.messages.TOPICS` to follow.
    timeout_s : float
        How long to wait for the run to answer, and for a sign of life (any topic) when iterating.
    certificate : Path, optional
        The public CURVE certificate of a run that is published to other computers.

    Returns
    -------
    Subscription
        A context manager, and an iterator over `Message`.

    Raises
    ------
    AddressError
        Not an address, nobody answers there, or the publisher speaks another version.
    InputError
        There is no such topic.
    """
    if unknown := set(topics) - set(TOPICS):
        raise InputError(f"no such topic: {', '.join(sorted(unknown))}", limit=f"topics are {', '.join(TOPICS)}")
    return Subscription(address, snapshot_address or next_port(address), tuple(topics), timeout_s, certificate)
