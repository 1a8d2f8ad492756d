"""The page as a process: real sockets, a real publisher."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import httpx
import numpy as np
import psutil
import pytest
import zmq.auth
from websockets.exceptions import ConnectionClosed, InvalidStatus

from stream.errors import AddressError
from stream.page.process import start_page
from stream.page.serving import listen
from stream.sinks.zmq_out import PublishSettings

ROOT = Path(__file__).parents[3]
STATIC = ROOT / "stream" / "page" / "static"


def density(header, pixels):
    return np.frombuffer(pixels, "<f2").reshape(header["shape"]).astype(float)


def test_it_serves_all_that_the_page_asks_for_and_nothing_from_elsewhere(page):
    index = httpx.get(page.url)
    assert index.status_code == 200
    assert "default-src 'none'; script-src 'self';" in index.headers["content-security-policy"]
    for name in re.findall(r'(?:src|href)="([^"]+)"', index.text):
        answer = httpx.get(page.url.rstrip("/") + name)
        assert answer.status_code == 200, name
    assert answer.headers["content-type"].startswith("text/javascript")
    for file in STATIC.iterdir():
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", file.read_text(encoding="utf-8")), file


def test_only_this_computer_and_this_page_are_served(page, open_stream):
    for name in ("evil.example", "evil.example:8765", "127.0.0.1.evil.example", "localhost.", ""):
        assert httpx.get(page.url, headers={"host": name}).status_code == 421, name
    for name in ("localhost:9000", "LOCALHOST", "127.0.0.1:1", "[::1]:8765"):
        assert httpx.get(page.url, headers={"host": name}).status_code == 200, name
    for origin in ("http://evil.example", "null", page.url.rstrip("/").replace("http", "https"), None):
        with pytest.raises(InvalidStatus, match="403"):
            open_stream(page, origin=origin)


def test_a_browser_that_comes_late_gets_all_that_went_before(run, page, open_stream):
    run.health()
    run.localize(3200, 3200)
    run.preview()
    with open_stream(page) as early:
        run.receive(early, "tile")
    with open_stream(page) as late:
        start, _ = run.receive(late, "start")
        health, _ = run.receive(late, "health")
        history, _ = run.receive(late, "history")
        frame, grey = run.receive(late, "frame")
        tile, pixels = run.receive(late, "tile")
    assert start["stream"]["width_px"] == 64
    assert start["engine"] == "ONNX Runtime on the CPU"
    assert health["localizations"] == 12345
    assert 0 <= health["age_s"] < 30
    assert history["traces"]["health"]["whole"]["fields"]["lag"]["mean"] == [20]
    assert (frame["index"], len(grey)) == (7, 64 * 64)
    assert density(tile, pixels).sum() == pytest.approx(20, rel=2e-3)


def test_tiles_are_sent_where_a_browser_looks(run, page, open_stream):
    run.localize(3200, 3200)
    with open_stream(page) as browser:
        overview, _ = run.receive(browser, "tile")
        assert overview["level"] == 2
        assert overview["pixel_nm"] == 4 * 10
        browser.send(json.dumps({"level": 0, "rows": [1, 1], "columns": [1, 1]}))
        tile, pixels = run.receive(browser, "tile")
        assert (tile["level"], tile["row"], tile["column"]) == (0, 1, 1)
        y, x = np.unravel_index(density(tile, pixels).argmax(), tile["shape"])
        assert tile["origin_nm"][0] + x * tile["pixel_nm"] == pytest.approx(3200, abs=200)
        assert tile["origin_nm"][1] + y * tile["pixel_nm"] == pytest.approx(3200, abs=200)


def test_a_wish_that_is_not_understood_ends_the_connection(run, page, open_stream):
    for wish in ("not json", '{"level": -1}', '{"level": 0, "rows": [0, 1], "columns": [0, 1], "more": 1}'):
        with open_stream(page) as browser:
            browser.send(wish)
            with pytest.raises(ConnectionClosed, match="1003"):
                run.receive(browser, "never")


def test_a_browser_that_does_not_read_slows_nobody_and_is_told_what_it_missed(run, page, open_stream):
    with open_stream(page, max_queue=1) as slow, open_stream(page) as quick:
        for index in range(100):
            run.preview(index, side_px=512)
            run.until(lambda wanted=index: run.receive(quick, "frame")[0]["index"] == wanted)
        run.health()
        health, _ = run.receive(slow, "health")
        assert health["replaced"]["frame"] > 0
        run.until(lambda: run.receive(slow, "frame")[0]["index"] == 99)


def test_it_waits_for_a_run_and_follows_the_next_one(run, new_run, open_stream):
    settings = PublishSettings(address=run.out.address, snapshot_address=run.out.snapshot_address)
    run.close()
    page = start_page(settings.address, settings.snapshot_address, port=0)
    try:
        with open_stream(page) as browser:
            troubles = (json.loads(browser.recv(timeout=30)).get("trouble") for _ in range(10))
            assert next(filter(None, troubles)).startswith(f"nobody publishes at {settings.address}")
            for run_id in ("first", "second"):
                run = new_run(run_id, settings)
                run.localize(1000, 1000)
                run.until(lambda run=run: run.health() or run.received(browser, "start"))
                assert run.receive(browser, "tile")[0]["run_id"] == run_id
                run.close()
    finally:
        page.stop()


def test_the_end_of_a_run_is_shown_before_the_page_goes(run, page, open_stream, unpacked):
    with open_stream(page) as browser:
        run.receive(browser, "start")
        run.localize(3200, 3200, 500)
        run.out.end({"state": "finished"})
        page.stop()
        received = []
        with pytest.raises(ConnectionClosed, match="1012"):
            received.extend(unpacked(data) for data in browser)
    assert "end" in [header["topic"] for header, _ in received]
    *_, (tile, pixels) = (message for message in received if message[0]["topic"] == "tile")
    assert density(tile, pixels).sum() == pytest.approx(500, rel=2e-3)


def test_it_follows_a_run_that_is_encrypted(tmp_path, new_run, open_stream):
    _, secret = zmq.auth.create_certificates(tmp_path, "run")
    run = new_run("secret", PublishSettings(address="tcp://127.0.0.1:*", certificate=Path(secret)))
    page = start_page(run.out.address, run.out.snapshot_address, port=0, certificate=Path(secret))
    try:
        with open_stream(page) as browser:
            assert run.receive(browser, "start")[0]["run_id"] == "secret"
    finally:
        page.stop()


def test_the_run_goes_on_when_the_page_dies(run, page):
    (child,) = (process for process in psutil.Process().children() if "spawn_main" in " ".join(process.cmdline()))
    child.kill()
    run.until(lambda: not page.alive)
    run.localize(100, 100)
    run.health()
    run.out.serve()
    page.stop()
    page.stop()


def test_the_page_goes_with_the_run():
    start = "start_page('tcp://127.0.0.1:1', 'tcp://127.0.0.1:2', 0)"
    program = f"from stream.page.process import start_page; page = {start}; print(page.url, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as parent:
        url = parent.stdout.readline().strip()
        assert httpx.get(url).status_code == 200
        page = [child for child in psutil.Process(parent.pid).children() if "spawn_main" in " ".join(child.cmdline())]
        parent.kill()
    gone, alive = psutil.wait_procs(page, timeout=30)
    assert (len(gone), alive) == (1, [])


def test_a_port_in_use_is_named_with_one_that_is_free():
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(AddressError) as caught:
            start_page("tcp://127.0.0.1:1", "tcp://127.0.0.1:2", port=port)
    assert f"port {port}" in caught.value.what
    free = re.search(r"another port: (\d+) is free", caught.value.remedy)
    assert free
    assert int(free[1]) != port


@pytest.mark.parametrize(
    ("port", "host", "said"), [(0, "0.0.0.0", "only this computer"), (70000, "127.0.0.1", "1024 to 65535")]
)
def test_what_cannot_be_served_is_refused(port, host, said):
    with pytest.raises(AddressError, match=said):
        listen(host, port)


def test_starting_a_page_loads_no_web_server_here():
    program = (
        "import sys, stream.page.process; print([m for m in ('starlette', 'uvicorn', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=PIPE, text=True, check=True)
    assert done.stdout.strip() == "[]"
