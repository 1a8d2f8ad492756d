"""Addresses of ZeroMQ sockets: which ones are safe, and what to say when one cannot be used."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import zmq
from zmq.auth import load_certificate

from stream.errors import AddressError


def is_loopback(address: str) -> bool:
    """Return whether only this computer can reach `address`, like `tcp://127.0.0.1:5557`."""
    host = address.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def next_port(address: str) -> str:
    """Return the address one port up, where snapshots are answered unless told otherwise; `*` stays `*`.

    Raises
    ------
    AddressError
        Not an address like `tcp://127.0.0.1:5557`.
    """
    match = re.fullmatch(r"(tcp://.+:)(\d+|\*)", address)
    if match is None:
        raise AddressError(
            f"{address!r} is not an address",
            limit="an address looks like tcp://127.0.0.1:5557",
            remedy="correct the address",
        )
    return address if match[2] == "*" else f"{match[1]}{int(match[2]) + 1}"


def bind(socket: zmq.Socket[Any], address: str, certificate: Path | None) -> str:
    """Bind a socket and return the address it got; with a secret certificate it is encrypted.

    Raises
    ------
    AddressError
        The port is taken, the address is not one of this computer, or the certificate cannot be read.
    """
    if certificate is not None:
        socket.curve_publickey, secret = _keys(certificate)
        if secret is None:
            raise AddressError(f"{certificate} holds no secret key", remedy="name the file that ends in .key_secret")
        socket.curve_secretkey, socket.curve_server = secret, True
    try:
        socket.bind(address)
    except zmq.ZMQError as error:
        raise AddressError(
            f"cannot publish at {address}: {error.strerror}",
            limit="the port must be free, and the address one of this computer",
            remedy='stop the program that holds it, or set [publish] address = "tcp://127.0.0.1:*"',
        ) from error
    return str(socket.getsockopt_string(zmq.LAST_ENDPOINT))


def connect(socket: zmq.Socket[Any], address: str, certificate: Path | None) -> None:
    """Connect a socket; `certificate` is the public one of a publisher that encrypts.

    Raises
    ------
    AddressError
        Not an address, or the certificate cannot be read.
    """
    if certificate is not None:
        socket.curve_serverkey, _ = _keys(certificate)
        socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
    try:
        socket.connect(address)
    except zmq.ZMQError as error:
        raise AddressError(
            f"cannot connect to {address!r}: {error.strerror}",
            limit="an address looks like tcp://127.0.0.1:5557",
            remedy="use the address that the run printed at its start",
        ) from error


def _keys(certificate: Path) -> tuple[bytes, bytes | None]:
    """Return the public key and, from a secret certificate, the secret one."""
    try:
        return load_certificate(certificate)
    except (OSError, ValueError) as error:
        raise AddressError(
            f"cannot read certificate {certificate}: {error}", remedy="make one with zmq.auth.create_certificates"
        ) from error
