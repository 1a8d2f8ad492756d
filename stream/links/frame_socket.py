"""The two ends of a socket for frames: address, encryption and what to say when they cannot be used.

Off loopback both ends hold a CURVE key pair and know the public key of the other (made with
`zmq.auth.create_certificates`): frames are encrypted, and nobody else can send or receive them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import zmq
from pydantic import BaseModel, ConfigDict, Field, model_validator
from zmq.auth import load_certificate
from zmq.auth.thread import ThreadAuthenticator

from stream.errors import AddressError
from stream.links.headers import MAX_PART_BYTES
from stream.links.sockets import is_loopback

QUEUED_FRAMES = 64


class LinkSettings(BaseModel):
    """Where the two ends meet."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    address: str = Field("tcp://127.0.0.1:5555", pattern=r"^tcp://.+:(\d+|\*)$")
    """`*` as the port picks a free one where this end binds."""
    bind: bool = True
    """Whether this end binds the address and the other connects, or the other way round."""
    own_certificate: Path | None = None
    """Secret certificate of this end (`.key_secret`); needed off loopback."""
    peer_certificate: Path | None = None
    """Public certificate of the other end (`.key`); needed off loopback."""

    @model_validator(mode="after")
    def _loopback_or_curve(self) -> Self:
        if (self.own_certificate is None) != (self.peer_certificate is None):
            raise ValueError("own_certificate and peer_certificate are given together or not at all")
        if self.own_certificate is None and not is_loopback(self.address):
            raise ValueError(
                f"{self.address} is reached from other computers, which needs own_certificate and peer_certificate; "
                "without them use tcp://127.0.0.1:PORT"
            )
        return self


class FrameSocket:
    """A ZeroMQ socket in a context of its own, bound or connected, encrypted where there are keys.

    Parameters
    ----------
    kind : int
        zmq.PULL, zmq.SUB, zmq.PUSH or zmq.XPUB.
    settings : LinkSettings
    timeout_ms : int
        How long one call waits to send or receive.
    linger_ms : int
        How long closing waits for what is not sent yet.

    Raises
    ------
    AddressError
        The port is taken, the address is not one of this computer, or a certificate cannot be read.
    """

    def __init__(self, kind: int, settings: LinkSettings, timeout_ms: int, linger_ms: int = 0) -> None:
        self._context = zmq.Context()
        self._authenticator: ThreadAuthenticator | None = None
        self.socket: zmq.Socket[bytes] = self._context.socket(kind)
        options = {
            zmq.RCVHWM: QUEUED_FRAMES, zmq.SNDHWM: QUEUED_FRAMES, zmq.MAXMSGSIZE: MAX_PART_BYTES,
            zmq.RCVTIMEO: timeout_ms, zmq.SNDTIMEO: timeout_ms, zmq.LINGER: linger_ms,
        }  # fmt: skip
        try:
            for option, value in options.items():
                self.socket.setsockopt(option, value)
            if kind == zmq.PUSH:
                self.socket.setsockopt(zmq.IMMEDIATE, 1)
            if kind == zmq.SUB:
                self.socket.setsockopt(zmq.SUBSCRIBE, b"")
            self._encrypt(settings)
            self.address = self._attach(settings)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the socket and its context. May be called more than once."""
        self.socket.close()
        if self._authenticator is not None:
            self._authenticator.stop()
            self._authenticator = None
        self._context.term()

    def _encrypt(self, settings: LinkSettings) -> None:
        if settings.own_certificate is None or settings.peer_certificate is None:
            return
        public, secret = _keys(settings.own_certificate)
        peer, _ = _keys(settings.peer_certificate)
        if secret is None:
            raise AddressError(
                f"{settings.own_certificate} holds no secret key", remedy="name the file that ends in .key_secret"
            )
        self.socket.curve_publickey, self.socket.curve_secretkey = public, secret
        if settings.bind:
            self.socket.curve_server = True
            self._authenticator = ThreadAuthenticator(self._context)
            self._authenticator.start()
            self._authenticator.configure_curve_callback(credentials_provider=_Only(peer))
        else:
            self.socket.curve_serverkey = peer

    def _attach(self, settings: LinkSettings) -> str:
        try:
            if not settings.bind:
                self.socket.connect(settings.address)
                return settings.address
            self.socket.bind(settings.address)
        except zmq.ZMQError as error:
            raise AddressError(
                f"cannot {'bind' if settings.bind else 'connect to'} {settings.address}: {error.strerror}",
                limit="the port must be free and the address one of this computer" if settings.bind else "",
                remedy="stop the program that holds the port, or choose another port on both ends",
            ) from error
        return self.socket.getsockopt_string(zmq.LAST_ENDPOINT)


class _Only:
    """Lets one key in."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def callback(self, domain: str, key: bytes) -> bool:
        """Return whether a client with this key may connect."""
        return key == self._key


def _keys(certificate: Path) -> tuple[bytes, bytes | None]:
    try:
        return load_certificate(certificate)
    except (OSError, ValueError) as error:
        raise AddressError(
            f"cannot read certificate {certificate}: {error}", remedy="make one with zmq.auth.create_certificates"
        ) from error
