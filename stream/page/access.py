"""Who may read the page: this computer's own browser, on this page, and nobody it is tricked by."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


class LocalOnly:
    """Refuses requests under foreign names and WebSockets from foreign pages; adds the security headers.

    Decision: names are checked although the socket is bound to loopback. Context: a foreign page can let its own name
    point to 127.0.0.1 (DNS rebinding), and any page may open a WebSocket to it. Consequence: `Host` must be a name of
    loopback, the `Origin` of a WebSocket must be this page; any port is right, so that a forwarded one works.

    Parameters
    ----------
    app : ASGI application
        What is protected.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and not _is_own_page(Headers(scope=scope)):
            await WebSocketClose(code=1008, reason="not a page of this server")(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        app = self._app if _is_local(Headers(scope=scope)) else _REFUSED
        await app(scope, receive, send_with_headers)


_REFUSED = PlainTextResponse("This page is only served under the names of this computer: localhost, 127.0.0.1.\n", 421)


def _is_local(headers: Headers) -> bool:
    name, _, port = headers.get("host", "").rpartition(":")
    if not port.isdigit():
        name = headers.get("host", "")
    return name.lower() in LOOPBACK_NAMES


def _is_own_page(headers: Headers) -> bool:
    return _is_local(headers) and headers.get("origin") == f"http://{headers['host']}"
