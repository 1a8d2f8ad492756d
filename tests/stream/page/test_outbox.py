"""Newest wins: at most one entry per thing, and what is replaced is counted."""

import asyncio

import pytest

from stream.page.outbox import Outbox, Wish
from stream.page.state import Key

HEALTH, FRAME, OVERVIEW = Key("health"), Key("frame"), Key("tile", 3, 0, 0)
NEAR, FAR = Key("tile", 0, 1, 1), Key("tile", 0, 9, 9)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox(lambda key: key == OVERVIEW)


async def taken(outbox: Outbox, count: int) -> list[Key]:
    return [await outbox.next() for _ in range(count)]


async def is_empty(outbox: Outbox) -> bool:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(outbox.next(), timeout=0)
    return True


def test_small_messages_go_first_and_tiles_last(outbox):
    outbox.mark([OVERVIEW, FRAME, HEALTH])
    assert asyncio.run(taken(outbox, 3)) == [HEALTH, FRAME, OVERVIEW]


def test_a_newer_one_takes_the_place_of_what_was_not_sent(outbox):
    for _ in range(5):
        outbox.mark([FRAME])
    assert asyncio.run(taken(outbox, 1)) == [FRAME]
    assert outbox.replaced == {"frame": 4}
    assert asyncio.run(is_empty(outbox))


def test_tiles_out_of_view_wait_until_they_are_looked_at(outbox):
    outbox.mark([NEAR, FAR])
    outbox.mark([FAR])
    assert asyncio.run(is_empty(outbox))
    outbox.wish(Wish(level=0, rows=(0, 2), columns=(1, 1)))
    assert asyncio.run(taken(outbox, 1)) == [NEAR]
    outbox.wish(Wish(level=0, rows=(8, 9), columns=(9, 12)))
    assert asyncio.run(taken(outbox, 1)) == [FAR]
    assert not outbox.replaced, "nobody waited for the tile that changed out of view"


def test_what_a_browser_forgot_is_sent_again(outbox):
    outbox.wish(Wish(level=0, rows=(1, 1), columns=(1, 1), forgotten=[(0, 1, 1)]))
    assert asyncio.run(taken(outbox, 1)) == [NEAR]


def test_who_waits_is_woken(outbox):
    async def wait_then_mark() -> Key:
        waiting = asyncio.create_task(outbox.next())
        await asyncio.sleep(0)
        outbox.mark([HEALTH])
        return await waiting

    assert asyncio.run(wait_then_mark()) == HEALTH
