"""Where the page is served, and who may read it."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from ipaddress import ip_address

from stream.errors import AddressError

PORT = 8765
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
LEAST_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class PageAddress:
    """What the page's server listens at.

    Parameters
    ----------
    port : int
        0 takes any that is free.
    host : str
        An IP address of this computer; `0.0.0.0` is all of them.
    token : str or None
        What a reader must know; needed where other computers can reach the page.

    Raises
    ------
    AddressError
        Not an address, or other computers could read the page without a token, or the token can be guessed.
    """

    port: int = PORT
    host: str = "127.0.0.1"
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        try:
            address = ip_address(self.host)
        except ValueError as error:
            raise AddressError(
                f"the page cannot be served at {self.host!r}",
                limit="an IP address of this computer, such as 127.0.0.1, or 0.0.0.0 for all of them",
                remedy="leave the host out: then only this computer may read the page",
            ) from error
        if not address.is_loopback and self.token is None:
            raise AddressError(
                f"at {self.host} other computers could read the page, and no token is given",
                limit="without a token only this computer may read it: 127.0.0.1 or ::1",
                remedy="give --token or LIVESMLM_TOKEN; or forward the port, which also encrypts: "
                f"ssh -L {self.port}:127.0.0.1:{self.port} THIS-COMPUTER",
            )
        if self.token is not None and len(self.token) < LEAST_CHARACTERS:
            raise AddressError(
                f"a token of {len(self.token)} characters can be guessed",
                limit=f"at least {LEAST_CHARACTERS} characters",
                remedy='python -c "import secrets; print(secrets.token_urlsafe())" makes one',
            )

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer can reach it."""
        return ip_address(self.host).is_loopback

    @property
    def caution(self) -> str:
        """What to say of a page that other computers reach; empty for one that they do not."""
        if self.is_loopback:
            return ""
        return "the page is open to other computers that know the token, and nothing is encrypted on the way"

    @property
    def family(self) -> socket.AddressFamily:
        """IPv4 or IPv6."""
        return socket.AF_INET6 if ip_address(self.host).version == 6 else socket.AF_INET

    def answers_to(self, name: str) -> bool:
        """Return whether the page is served under this name of a `Host` header, without its port.

        Decision: names are checked, numbers are not. Context: a foreign page can let its own name point to this
        computer (DNS rebinding), but no foreign page is served from this computer's number. Consequence: beside
        loopback the page answers to numbers and to this computer's own name.
        """
        name = name.lower()
        if name in LOOPBACK_NAMES:
            return True
        return not self.is_loopback and (name == socket.gethostname().lower() or _is_number(name))


def _is_number(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
