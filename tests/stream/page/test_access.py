"""A page that other computers can reach: nothing of the run without the token, and no page but its own."""

import json
import socket
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from stream.page import access
from stream.page.address import PageAddress
from stream.page.process import start_page

TOKEN = "what only readers know"


@pytest.fixture
def guarded(run):
    """The page of a run at all addresses of this computer; its URL is that of loopback."""
    page = start_page(run.out.address, run.out.snapshot_address, PageAddress(0, "0.0.0.0", TOKEN))
    page.url = f"http://127.0.0.1:{urlsplit(page.url).port}/"
    yield page
    page.stop()


def test_the_token_in_the_first_message_opens_the_stream(run, guarded, open_stream, unpacked):
    with open_stream(guarded) as browser:
        assert unpacked(browser.recv(timeout=30))[0] == {"topic": "locked"}
        with pytest.raises(TimeoutError):
            browser.recv(timeout=0.3)
        browser.send(json.dumps({"token": TOKEN}))
        assert run.receive(browser, "start")[0]["run_id"] == "run-1"


def test_the_token_in_a_header_opens_the_stream(run, guarded, open_stream):
    with open_stream(guarded, additional_headers={"Authorization": f"Bearer {TOKEN}"}) as browser:
        assert run.receive(browser, "start")[0]["run_id"] == "run-1"


@pytest.mark.parametrize("answer", [
    json.dumps({"token": TOKEN + "!"}), json.dumps({"token": 5}), "{}", "[]", "no", '{"token": "é"}',
    json.dumps({"level": 0, "rows": [0, 1], "columns": [0, 1]}),
])  # fmt: skip
def test_a_wrong_answer_closes_the_stream_and_nothing_was_sent(guarded, open_stream, unpacked, answer):
    with open_stream(guarded) as browser:
        assert unpacked(browser.recv(timeout=30))[0] == {"topic": "locked"}
        browser.send(answer)
        with pytest.raises(ConnectionClosed) as closed:
            browser.recv(timeout=30)
    assert closed.value.rcvd.code == access.WRONG_TOKEN


def test_what_is_large_closes_the_stream(page, open_stream):
    with open_stream(page) as browser:
        browser.send("x" * (1 << 19))
        with pytest.raises(ConnectionClosed) as closed:
            list(browser)
    told = closed.value.rcvd  # none if the closed connection overtakes its last word
    assert told is None or told.code == 1009


def test_static_files_need_no_token_and_everything_else_does(guarded):
    assert httpx.get(guarded.url).status_code == 200
    assert httpx.get(guarded.url + "static/main.js").status_code == 200
    assert httpx.get(guarded.url + "anything").status_code == 401
    assert httpx.get(guarded.url + "anything", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 404
    assert httpx.get(guarded.url + "static/../access.py").status_code in (401, 404)
    assert httpx.get(guarded.url + "static/%2e%2e/access.py").status_code == 404


def test_it_answers_to_numbers_and_this_computers_name_and_to_no_other(guarded, open_stream):
    for name in (socket.gethostname(), "192.168.1.7:8765", "[fe80::1]:8765", "localhost"):
        assert httpx.get(guarded.url, headers={"host": name}).status_code == 200, name
    for name in ("evil.example", "192.168.1.7.evil.example", "127.1", ""):
        assert httpx.get(guarded.url, headers={"host": name}).status_code == 421, name
    with pytest.raises(InvalidStatus, match="403"):
        open_stream(guarded, origin="http://evil.example")


def test_the_token_is_not_shown():
    assert TOKEN not in repr(PageAddress(token=TOKEN))


def test_a_page_for_others_is_cautioned_of():
    assert PageAddress().caution == PageAddress(host="::1").caution == ""
    assert "nothing is encrypted" in PageAddress(host="0.0.0.0", token=TOKEN).caution
