"""The prediction on the page: offered where there is one, and never shown without its mark."""

import time

import numpy as np
import pytest
from selenium.webdriver.common.by import By

from stream.images.published import WithPictures
from stream.picture.layers import PREDICTION, PREDICTION_ERROR
from stream.picture.tiles import Pyramid

SAID = {
    "model": "anna-palm", "structure": "filaments", "localizations": 934, "missed": 0, "tiles": 40,
    "error": 0.31, "usual_error": 0.29, "doubtful_tiles": 12, "seconds": 0.4,
}  # fmt: skip
AMBER_PIXELS = """
const canvas = document.getElementById("picture");
const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
let count = 0;
for (let i = 0; i < data.length; i += 4) count += data[i] === 255 && data[i + 1] === 180 && data[i + 2] === 84;
return count;
"""


def drawn(side_px: int, pixel_nm: float) -> Pyramid:
    pyramid = Pyramid(side_px, side_px, pixel_nm, 256)
    finest = pyramid.levels[0]
    finest.values[0, 0, :side_px, side_px // 2] = 1.0
    finest.mark(np.ones(finest.changed.shape, bool))
    return pyramid


@pytest.fixture
def run(new_run):
    """A run with a prediction."""
    run = new_run(prediction={"model": "anna-palm.onnx", "structure": "filaments"})
    pictures = {PREDICTION: drawn(320, 20.0), PREDICTION_ERROR: drawn(80, 80.0)}
    run.out.follow(run.renderer.changed, WithPictures(run.renderer.layers, pictures))
    return run


@pytest.mark.browser
def test_a_prediction_bears_its_mark_and_says_what_it_rests_on(run, browser):
    button = browser.find_element(By.CSS_SELECTOR, "[data-mode=prediction]")
    run.until(button.is_displayed)
    run.health(prediction=SAID)
    run.localize(3200, 3200)
    assert browser.execute_script(AMBER_PIXELS) == 0
    button.click()
    run.until(lambda: browser.execute_script(AMBER_PIXELS) > 100)
    name = browser.find_element(By.ID, "pane-left")
    run.until(lambda: name.text == "As filaments, from 934 localizations")
    browser.find_element(By.CSS_SELECTOR, "[data-mode=prediction-error]").click()
    right = browser.find_element(By.ID, "pane-right")
    run.until(lambda: right.text == "Its error: 0.31, usual < 0.29: 12 of 40 parts above")
    browser.find_element(By.CSS_SELECTOR, "[data-mode=sr]").click()
    run.until(lambda: browser.execute_script(AMBER_PIXELS) == 0)


@pytest.mark.browser
def test_a_prediction_that_has_not_come_yet_does_not_keep_the_page_drawing(run, browser):
    run.out.follow(run.renderer.changed, run.renderer.layers)
    run.localize(3200, 3200)
    button = browser.find_element(By.CSS_SELECTOR, "[data-mode=prediction]")
    run.until(button.is_displayed)
    button.click()
    run.until(lambda: browser.execute_script(AMBER_PIXELS) > 100)
    browser.execute_script("""
        window.draws = 0;
        const { requestAnimationFrame } = window;
        window.requestAnimationFrame = (draw) => { window.draws += 1; return requestAnimationFrame(draw); };
    """)
    until_s = time.monotonic() + 1.0
    run.until(lambda: time.monotonic() > until_s)
    assert browser.execute_script("return window.draws") < 20
