"""Who may read the page: a browser that is on this page, and knows the token if there is one."""

from __future__ import annotations

import asyncio
import hmac
import json

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketClose, WebSocketDisconnect

from stream.page.address import PageAddress
from stream.page.pack import text

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
OPEN = ("/", "/colour-maps.json")
WRONG_TOKEN = 4401
AFTER_WRONG_S = 1.0
"""A reader who guesses waits so long each time."""
TYPING_S = 300.0


class Access:
    """Refuses requests under foreign names, WebSockets from foreign pages, and data without the token; adds headers.

    What says nothing of a run (OPEN, `/static`) anybody may read.

    Parameters
    ----------
    app : ASGI application
        What is protected.
    address : PageAddress
        Where it is served.
    """

    def __init__(self, app: ASGIApp, address: PageAddress) -> None:
        self._app, self._address = app, address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket" and not self._is_own_page(Headers(scope=scope)):
            await WebSocketClose(code=1008, reason="not a page of this server")(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        headers, path = Headers(scope=scope), scope["path"]
        app: ASGIApp = self._app
        if not self._is_here(headers):
            app = _ELSEWHERE
        elif path not in OPEN and not path.startswith("/static/") and not shows_token(headers, self._address.token):
            await asyncio.sleep(AFTER_WRONG_S)
            app = _LOCKED
        await app(scope, receive, send_with_headers)

    def _is_here(self, headers: Headers) -> bool:
        name, _, port = headers.get("host", "").rpartition(":")
        return self._address.answers_to(name if port.isdigit() else headers.get("host", ""))

    def _is_own_page(self, headers: Headers) -> bool:
        return self._is_here(headers) and headers.get("origin") == f"http://{headers['host']}"


_ELSEWHERE = PlainTextResponse("This page is only served under the names and numbers of this computer.\n", 421)
_LOCKED = PlainTextResponse("Authorization: Bearer TOKEN is missing or wrong.\n", 401)


def shows_token(headers: Headers, token: str | None) -> bool:
    """Return whether a request carries the token as `Authorization: Bearer`; also if none is needed."""
    kind, _, given = headers.get("authorization", "").partition(" ")
    return token is None or (kind.lower() == "bearer" and is_token(given, token))


def is_token(given: str, token: str) -> bool:
    """Compare in a time that tells nothing of the token."""
    return hmac.compare_digest(given.encode(), token.encode())


async def unlock(browser: WebSocket, token: str | None) -> bool:
    """Ask an accepted WebSocket for the token, unless its request has shown it; close it if the answer is wrong.

    Decision: the token comes in the first message. Context: a browser cannot set headers of a WebSocket, and a URL is
    kept in logs and histories. Consequence: before it, nothing is sent but that it is asked for.
    """
    if shows_token(browser.headers, token):
        return True
    assert token is not None
    await browser.send_text(text("locked", {}))
    try:
        given = json.loads(await asyncio.wait_for(browser.receive_text(), TYPING_S))["token"]
        if isinstance(given, str) and is_token(given, token):
            return True
        await asyncio.sleep(AFTER_WRONG_S)
    except WebSocketDisconnect:
        return False
    except (TimeoutError, ValueError, LookupError, TypeError):
        pass
    await browser.close(WRONG_TOKEN, "wrong token")
    return False
