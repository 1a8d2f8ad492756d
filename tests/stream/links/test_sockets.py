"""Addresses: which ones only this computer can reach, and what is said of those that cannot be used."""

import pytest
import zmq

from stream.errors import AddressError
from stream.links.sockets import bind, connect, is_loopback, next_port


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("tcp://127.0.0.1:5557", True),
        ("tcp://127.1.2.3:5557", True),
        ("tcp://localhost:*", True),
        ("tcp://[::1]:5557", True),
        ("tcp://*:5557", False),
        ("tcp://0.0.0.0:5557", False),
        ("tcp://192.168.1.5:5557", False),
        ("tcp://127.0.0.1.example.org:5557", False),
    ],
)
def test_loopback(address, loopback):
    assert is_loopback(address) == loopback


def test_next_port():
    assert next_port("tcp://127.0.0.1:5557") == "tcp://127.0.0.1:5558"
    assert next_port("tcp://127.0.0.1:*") == "tcp://127.0.0.1:*"
    with pytest.raises(AddressError, match="5557"):
        next_port("127.0.0.1")


@pytest.fixture
def socket():
    with zmq.Context() as context, context.socket(zmq.PUB) as socket:
        yield socket


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:5557", "tcp://nonsense", "udp://127.0.0.1:1"])
def test_an_address_that_is_not_ours_is_refused(socket, address):
    with pytest.raises(AddressError) as caught:
        bind(socket, address, None)
    assert address in caught.value.what


def test_an_address_that_is_none_is_refused(socket):
    with pytest.raises(AddressError, match="nonsense"):
        connect(socket, "nonsense", None)


def test_a_certificate_that_is_not_there_is_refused(socket, tmp_path):
    with pytest.raises(AddressError, match="create_certificates"):
        bind(socket, "tcp://127.0.0.1:*", tmp_path / "none.key_secret")


def test_a_public_certificate_cannot_publish(socket, tmp_path):
    public, _ = zmq.auth.create_certificates(tmp_path, "run")
    with pytest.raises(AddressError, match="key_secret"):
        bind(socket, "tcp://127.0.0.1:*", tmp_path / public)
