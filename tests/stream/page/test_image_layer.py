"""The image layer on the page: offered where there is one, sent to who shows it, with tiles of its own."""

import json

import numpy as np
import pytest
from selenium.webdriver.common.by import By

from stream.images.published import WithPictures
from stream.picture.tiles import Pyramid
from stream.sinks.zmq_out import PublishSettings

MODEL = "2d-deep-storm-light"
SIDE_PX, PIXEL_NM = 512, 12.5
BRIGHTEST_PLACE = """
const canvas = document.getElementById("picture");
const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
let [best, at] = [0, 0];
for (let i = 0; i < data.length; i += 4) if (data[i] > best) [best, at] = [data[i], i / 4];
return [best, (at % canvas.width) / canvas.width, Math.floor(at / canvas.width) / canvas.height];
"""


class Drawn:
    """An image layer that a test draws."""

    def __init__(self) -> None:
        self.pyramid = Pyramid(SIDE_PX, SIDE_PX, PIXEL_NM, 256)

    def square(self, row: int, column: int, value: float = 2.0) -> None:
        tiles = self.pyramid.levels[0]
        tiles.values[row // 256, column // 256, row % 256 : row % 256 + 16, column % 256 : column % 256 + 16] = value
        marks = np.zeros(tiles.changed.shape, bool)
        marks[row // 256, column // 256] = True
        tiles.mark(marks)


@pytest.fixture
def run(new_run):
    """A run with an image layer."""
    run = new_run(image={"model": MODEL, "frames": "newest"})
    run.image = Drawn()
    run.out.follow(run.renderer.changed, WithPictures(run.renderer.layers, {"image": run.image.pyramid}))
    return run


def test_tiles_of_the_layer_go_to_the_browser_that_shows_it(run, page, open_stream):
    run.image.square(300, 40)
    view = {"level": 0, "rows": [0, 0], "columns": [0, 0]}
    with open_stream(page) as browser:
        run.localize(3200, 3200)
        run.receive(browser, "tile")
        browser.send(json.dumps({**view, "layers": ["image"], "pictures": {"image": {**view, "rows": [1, 1]}}}))
        while (message := run.receive(browser, "picture"))[0]["level"] != 0:
            assert message[0]["level"] == 1  # the whole picture in one tile is sent to everybody who shows the layer
        header, pixels = message
        assert (header["row"], header["column"], header["pixel_nm"]) == (1, 0, PIXEL_NM)
        values = np.frombuffer(pixels, "<f2").reshape(256, 256)
        assert values.sum() == 16 * 16 * 2
        assert values[44:60, 40:56].min() == 2


@pytest.mark.browser
def test_the_layer_is_drawn_where_it_lies_and_says_what_it_has_left_out(run, browser):
    button = browser.find_element(By.CSS_SELECTOR, "[data-mode=image]")
    run.until(button.is_displayed)
    run.image.square(248, 248)
    run.health(image={"model": MODEL, "seen": 934, "left_out": 66, "molecules": 512.0, "waits": False})
    button.click()

    def drawn():
        brightest, x, y = browser.execute_script(BRIGHTEST_PLACE)
        return brightest > 200 and abs(x - 0.5) < 0.05 and abs(y - 0.5) < 0.05

    run.until(drawn)
    name = browser.find_element(By.ID, "pane-left")
    run.until(lambda: name.text == f"{MODEL}: 934 frames, 66 left out")
    run.until(browser.find_element(By.ID, "legend").is_displayed)


@pytest.mark.browser
def test_a_run_without_one_is_not_offered_it(new_run, run, browser):
    button = browser.find_element(By.CSS_SELECTOR, "[data-mode=image]")
    run.until(button.is_displayed)
    address, snapshots = run.out.address, run.out.snapshot_address
    run.close()
    other = new_run("run-2", PublishSettings(address=address, snapshot_address=snapshots))
    other.until(lambda: other.health() or not button.is_displayed())
