"""The page's server: static files, and one WebSocket per browser."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path

import numpy as np
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from stream.links.messages import Message
from stream.page import pack
from stream.page.access import LocalOnly
from stream.page.feed import Feed
from stream.page.origin import Origin
from stream.page.outbox import Outbox, Wish
from stream.page.state import TRACED, Key, RunState
from stream.picture.tiles import Tile

STATIC = Path(__file__).with_name("static")
PAGE, HISTORY, OPTICS = Key("page"), Key("history"), Key("optics")
NOT_UNDERSTOOD = 1003
QUIET_S = 0.25
SETTLE_S = 2.0


class Server:
    """Holds the state of the run and an outbox for each browser, all of it in the thread of the event loop.

    Parameters
    ----------
    origin : Origin
        Where the run is published.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._state = RunState()
        self._trouble = ""
        self._took_at_s = -inf
        self._outboxes: set[Outbox] = set()

    def app(self) -> Starlette:
        """Return the web application."""
        # Windows takes types from its registry, where .js can be text/plain, which browsers refuse as a module.
        mimetypes.add_type("text/javascript", ".js")
        routes = [
            Route("/", _index),
            Mount("/static", StaticFiles(directory=STATIC)),
            WebSocketRoute("/stream", self._serve_browser),
        ]
        return Starlette(routes=routes, middleware=[Middleware(LocalOnly)], lifespan=self._follow)

    async def settle(self) -> None:
        """Wait until what the run published last has reached the browsers, for at most two seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + SETTLE_S
        await asyncio.sleep(QUIET_S)
        while loop.time() < until and not self._is_quiet(loop.time()):
            await asyncio.sleep(QUIET_S / 5)

    def _is_quiet(self, now_s: float) -> bool:
        return now_s - self._took_at_s >= QUIET_S and all(outbox.is_empty() for outbox in self._outboxes)

    @asynccontextmanager
    async def _follow(self, _: Starlette) -> AsyncIterator[None]:
        """Follow the run while the server is up."""
        loop = asyncio.get_running_loop()

        def take(message: Message) -> None:
            loop.call_soon_threadsafe(self._take, message)

        def take_trouble(reason: str) -> None:
            loop.call_soon_threadsafe(self._take_trouble, reason)

        feed = Feed(self._origin, take, take_trouble)
        feed.start()
        yield
        await asyncio.to_thread(feed.stop)

    def _take(self, message: Message) -> None:
        self._trouble = ""
        self._took_at_s = asyncio.get_running_loop().time()
        self._mark(self._state.take(message))

    def _take_trouble(self, reason: str) -> None:
        self._trouble = reason
        self._mark(PAGE)

    def _mark(self, key: Key) -> None:
        for outbox in self._outboxes:
            outbox.mark([key])

    async def _serve_browser(self, browser: WebSocket) -> None:
        await browser.accept()
        outbox = Outbox(lambda key: key.level == self._state.coarsest)
        outbox.mark([PAGE, *self._state.newest, HISTORY, OPTICS])
        self._outboxes.add(outbox)
        sending = asyncio.create_task(self._send(browser, outbox))
        try:
            await _receive(browser, outbox)
        finally:
            self._outboxes.discard(outbox)
            sending.cancel()

    async def _send(self, browser: WebSocket, outbox: Outbox) -> None:
        """Send what is newest, at the browser's own pace, until it is gone."""
        try:
            while True:
                packed = self._packed(await outbox.next(), outbox)
                if isinstance(packed, str):
                    await browser.send_text(packed)
                elif packed is not None:
                    await browser.send_bytes(packed)
        except WebSocketDisconnect:
            return

    def _packed(self, key: Key, outbox: Outbox) -> str | bytes | None:
        """Return a message as it is now; None if it belonged to a run that another has replaced."""
        if key == PAGE:
            return pack.text("page", {"address": self._origin.address, "trouble": self._trouble})
        if key == HISTORY:
            return pack.text("history", {"traces": self._state.history()})
        if key == OPTICS:
            return pack.text("optics", {"samples": self._state.optics()})
        message = self._state.newest.get(key)
        if message is None:
            return None
        header, payload = message.header, message.payload
        if isinstance(payload, Tile):
            return pack.tile(header, payload)
        if key.topic == "psf" and isinstance(payload, np.ndarray):
            return pack.psf(header, payload)
        if key.topic == "phase" and isinstance(payload, np.ndarray):
            return pack.text("phase", {**header, "waves": payload.tolist(), "age_s": self._state.optics()[-1]["age_s"]})
        if isinstance(payload, np.ndarray):
            return pack.preview(header, payload)
        if key.topic in TRACED:
            header = {**header, "sample": self._state.sample(key.topic, header)}
        if key.topic == "action":
            header = {"actions": list(self._state.actions), "sample": header["sample"]}
        if key.topic == "health":
            header = {**header, "age_s": self._state.health_age_s(), "replaced": outbox.replaced}
        return pack.text(key.topic, header)


async def _index(_: Request) -> FileResponse:
    return FileResponse(STATIC / "index.html")


async def _receive(browser: WebSocket, outbox: Outbox) -> None:
    """Take what the browser wishes to see, until it is gone."""
    try:
        async for wish in browser.iter_text():
            outbox.wish(Wish.model_validate_json(wish))
    except ValidationError as error:
        await browser.close(NOT_UNDERSTOOD, str(error.errors()[0]["msg"])[:100])
