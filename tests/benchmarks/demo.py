"""The demo as a person meets it: seconds from the command to the page and to a picture in it, and what was lost.

    python tests/benchmarks/demo.py [--frames 600]

Needs `chromium` and `chromedriver`. The browser is started first, as a person's is; it then shares the machine with
the run.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

PORT = 8799
HAS_PICTURE = """
const canvas = document.getElementById("picture");
if (!canvas) return false;
const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width || 1, canvas.height || 1).data;
return pixels.some((value, i) => i % 4 === 0 && value > 200);
"""


def browser() -> Chrome:
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or sys.exit("no chromium: apt install chromium chromium-driver")
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1440,1000"):
        options.add_argument(flag)
    return Chrome(options, ChromeService(shutil.which("chromedriver")))


def answers() -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{PORT}/").status_code == 200
    except httpx.TransportError:
        return False


def seconds_until(reached, began_s: float) -> float:
    while not reached():
        time.sleep(0.05)
    return time.monotonic() - began_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=600)
    frames = parser.parse_args().frames
    with tempfile.TemporaryDirectory() as name, browser() as page:
        out = Path(name) / "out"
        began_s = time.monotonic()
        command = ["-m", "stream.cli", "demo", "--frames", str(frames), "--out", str(out), "--port", str(PORT)]
        demo = subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL)
        to_page_s = seconds_until(answers, began_s)
        page.get(f"http://127.0.0.1:{PORT}/")
        to_picture_s = seconds_until(lambda: page.execute_script(HAS_PICTURE), began_s)
        exit_code = demo.wait()
        result = json.loads((out / "run.json").read_text())["result"]
    print(f"command to page {to_page_s:.1f} s, to a picture in it {to_picture_s:.1f} s")
    print(f"exit code {exit_code}; latency {result['latency_ms']} ms; ledger {result['ledger']}")


if __name__ == "__main__":
    main()
