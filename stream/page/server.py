"""The page's server: static files, and one WebSocket per browser."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from stream.errors import LiveSMLMError
from stream.links.feed import Feed, Origin
from stream.links.messages import PICTURE_TOPICS, Message
from stream.page import pack
from stream.page.access import Access, unlock
from stream.page.address import PageAddress
from stream.page.layer_feeds import LayerFeeds
from stream.page.outbox import Outbox, Wish
from stream.page.state import TOPICS, TRACED, Key, RunState
from stream.page.whole_picture import write_picture
from stream.picture import colours
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
    address : PageAddress
        Where the page is served.
    """

    def __init__(self, origin: Origin, address: PageAddress) -> None:
        self._origin, self._address = origin, address
        self._state = RunState()
        self._trouble = ""
        self._took_at_s = -inf
        self._outboxes: set[Outbox] = set()
        self._layers = LayerFeeds(origin, lambda message: None)

    def app(self) -> Starlette:
        """Return the web application."""
        # Windows takes types from its registry, where .js can be text/plain, which browsers refuse as a module.
        mimetypes.add_type("text/javascript", ".js")
        routes = [
            Route("/", _index),
            Route("/colour-maps.json", _colour_maps),
            Route("/render.ome.tif", self._picture),
            Mount("/static", StaticFiles(directory=STATIC)),
            WebSocketRoute("/stream", self._serve_browser),
        ]
        return Starlette(routes=routes, middleware=[Middleware(Access, address=self._address)], lifespan=self._follow)

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

        def take_layer(message: Message) -> None:
            loop.call_soon_threadsafe(self._take_layer, message)

        self._layers = LayerFeeds(self._origin, take_layer)
        feed = Feed(self._origin, TOPICS, take, take_trouble)
        feed.start()
        yield
        await asyncio.gather(asyncio.to_thread(feed.stop), self._layers.stop())

    def _take(self, message: Message) -> None:
        self._trouble = ""
        self._took_at_s = asyncio.get_running_loop().time()
        if not self._state.is_known(message):
            self._layers.want(())  # they are of the run before, or wait for one; what is wanted is asked for anew
        self._mark(self._state.take(message))
        self._follow_layers()

    def _take_layer(self, message: Message) -> None:
        if self._state.is_known(message):
            self._mark(self._state.take(message))

    def _follow_layers(self) -> None:
        """Follow the layers that browsers look at."""
        for topic in self._layers.want(set().union(*(outbox.wanted.layer_topics for outbox in self._outboxes))):
            self._state.forget(topic)

    def _take_trouble(self, reason: str) -> None:
        self._trouble = reason
        self._mark(PAGE)

    def _mark(self, key: Key) -> None:
        for outbox in self._outboxes:
            outbox.mark([key])

    async def _serve_browser(self, browser: WebSocket) -> None:
        await browser.accept()
        if not await unlock(browser, self._address.token):
            return
        outbox = Outbox(self._state.is_coarsest)
        outbox.mark([PAGE, *self._state.newest, HISTORY, OPTICS])
        self._outboxes.add(outbox)
        sending = asyncio.create_task(self._send(browser, outbox))
        try:
            await self._receive(browser, outbox)
        finally:
            self._outboxes.discard(outbox)
            self._follow_layers()
            sending.cancel()

    async def _receive(self, browser: WebSocket, outbox: Outbox) -> None:
        """Take what the browser wishes to see, until it is gone."""
        try:
            async for wish in browser.iter_text():
                outbox.wish(Wish.model_validate_json(wish))
                self._follow_layers()
        except ValidationError as error:
            await browser.close(NOT_UNDERSTOOD, str(error.errors()[0]["msg"])[:100])

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

    async def _picture(self, _: Request) -> Response:
        """Return the picture as it is now, or why not, in words."""
        start = self._state.newest.get(Key("start"))
        tiles = [
            message.payload for message in self._state.newest.values()
            if isinstance(message.payload, Tile)
        ]  # fmt: skip
        folder = TemporaryDirectory(prefix="livesmlm-", ignore_cleanup_errors=True)
        path = Path(folder.name) / "render.ome.tif"
        try:
            await asyncio.to_thread(write_picture, path, start.header if start else {}, tiles)
        except LiveSMLMError as error:
            folder.cleanup()
            return PlainTextResponse(str(error), 409)
        return FileResponse(path, filename=path.name, background=BackgroundTask(folder.cleanup))

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
            packer = {"tile": pack.tile, **dict.fromkeys(PICTURE_TOPICS, pack.picture)}.get(key.topic, pack.layer)
            return packer(header, payload)
        if key.topic == "found" and isinstance(payload, np.ndarray):
            return pack.found(header, payload)
        if key.topic == "sum" and isinstance(payload, np.ndarray):
            return pack.total(header, payload)
        if key.topic == "psf" and isinstance(payload, np.ndarray):
            return pack.psf(header, payload)
        if key.topic == "residual" and isinstance(payload, np.ndarray):
            return pack.residual(header, payload)
        if key.topic == "phase" and isinstance(payload, np.ndarray):
            return pack.text("phase", {**header, "waves": payload.tolist(), "age_s": self._state.optics()[-1]["age_s"]})
        if isinstance(payload, np.ndarray) and key.topic != "traces":
            return pack.preview(header, payload, pack.FULL_PX if outbox.wanted.camera else pack.PREVIEW_PX)
        if key.topic in TRACED:
            header = {**header, "sample": self._state.sample(key.topic, header)}
        if key.topic == "action":
            header = {"actions": list(self._state.actions), "sample": header["sample"]}
        if key.topic == "health":
            header = {**header, "age_s": self._state.health_age_s(), "replaced": outbox.replaced}
        return pack.text(key.topic, header)


async def _index(_: Request) -> FileResponse:
    return FileResponse(STATIC / "index.html")


async def _colour_maps(_: Request) -> Response:
    maps = {name: colours.colour_map(name).tolist() for name in colours.KNOTS}
    return JSONResponse(maps | {"channels": colours.channel_colours().tolist()})
