"""The picture in the centre, in headless Chromium: colours are what they say, measures are right, files are whole."""

import re

import numpy as np
import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By

pytestmark = pytest.mark.browser

BRIGHTEST = """
const canvas = document.getElementById("picture");
const [left, right] = [...arguments].map((part) => Math.round(part * canvas.width));
const pixels = canvas.getContext("2d").getImageData(left, 0, right - left, canvas.height).data;
let best = [0, 0, 0];
for (let i = 0; i < pixels.length; i += 4) {
  const colour = [pixels[i], pixels[i + 1], pixels[i + 2]];
  if (Math.max(...colour) > Math.max(...best)) best = colour;
}
return best;
"""
TAKE_FILES = """
window.taken = [];
URL.createObjectURL = (blob) => { window.blob = blob; return "#"; };
HTMLAnchorElement.prototype.click = function () { window.taken.push(this.download); };
"""
SIZE = """
const done = arguments[arguments.length - 1];
createImageBitmap(window.blob).then((image) => done([image.width, image.height]));
"""
PINCH = """
const canvas = document.getElementById("picture");
const say = (kind, id, x) => canvas.dispatchEvent(new PointerEvent(kind, {
  pointerId: id, pointerType: "touch", clientX: canvas.getBoundingClientRect().left + x,
  clientY: canvas.getBoundingClientRect().top + 200, bubbles: true, button: kind === "pointermove" ? -1 : 0,
}));
canvas.setPointerCapture = () => {};
say("pointerdown", 1, 250); say("pointerdown", 2, 350);
say("pointermove", 1, 100); say("pointermove", 2, 500);
say("pointerup", 1, 100); say("pointerup", 2, 500);
"""

OFFER = """
const [start, done] = arguments;
const tools = { set() {}, show() {}, offer() {} };
import("/static/picture_controls.js").then(({ PictureControls }) => {
  PictureControls.prototype.start.call(tools, start);
  done();
});
"""


def text(browser, name):
    return browser.find_element(By.ID, name).text


def press(browser, key):
    ActionChains(browser).send_keys(key).perform()


def is_shown(browser, name):
    return browser.find_element(By.ID, name).is_displayed()


@pytest.fixture
def picture(run, browser):
    """A picture of two clusters, the left one low, the right one high."""
    run.localize(1600, 3200, z_nm=-200.0, count=30)
    run.localize(4800, 3200, z_nm=200.0, count=30)
    run.until(lambda: max(browser.execute_script(BRIGHTEST, 0, 1)) > 200)
    return browser


def point_at(browser, x_nm, y_nm):
    """Move the pointer to a point of the field that is fitted into the stage."""
    canvas = browser.find_element(By.ID, "picture")
    nm_per_px = max(6400 / canvas.size["width"], 6400 / canvas.size["height"]) / 0.96
    offset = [round((at - 3200) / nm_per_px) for at in (x_nm, y_nm)]
    ActionChains(browser).move_to_element_with_offset(canvas, *offset).perform()


def test_low_is_blue_and_high_is_yellow_and_the_pointer_says_how_much(run, picture):
    press(picture, "c")
    assert picture.find_element(By.ID, "colour-by").get_attribute("value") == "z"

    def colours():
        left, right = (picture.execute_script(BRIGHTEST, *part) for part in ((0, 0.5), (0.5, 1)))
        return (left, right) if left[2] > left[0] + 40 and right[0] > right[2] + 40 else None

    run.until(colours)
    assert is_shown(picture, "legend")
    point_at(picture, 4800, 3200)
    assert re.search(r"localizations/µm²  z 200 nm", text(picture, "pointer"))
    press(picture, "ccc")
    assert picture.find_element(By.ID, "colour-by").get_attribute("value") == "density"


def test_a_range_that_is_typed_stays_until_auto(run, picture):
    press(picture, "c")
    for name, value in (("range-low", "-1000"), ("range-high", "400")):
        picture.find_element(By.ID, name).send_keys(value)
    picture.find_element(By.ID, "range-high").send_keys("\t")
    # -200 of -1000 to 400 is no longer the blue end
    run.until(lambda: (colour := picture.execute_script(BRIGHTEST, 0, 0.5))[0] > colour[1] + 20)
    picture.find_element(By.ID, "reset").click()
    run.until(lambda: (colour := picture.execute_script(BRIGHTEST, 0, 0.5))[2] > colour[0] + 40)
    assert picture.find_element(By.ID, "range-low").get_attribute("value") == ""


def test_a_rectangle_is_measured(run, picture):
    press(picture, "r")
    canvas = picture.find_element(By.ID, "picture")
    point_at(picture, 800, 2400)
    ActionChains(picture).click_and_hold().perform()
    point_at(picture, 2400, 4000)
    ActionChains(picture).release().perform()
    words = run.until(lambda: "mean photons" in text(picture, "region") and text(picture, "region"))
    area, found, z, photons, *_ = words.split("\n")
    width, height = map(float, re.findall(r"([\d.]+) µm(?!²)", area))
    assert (width, height) == (pytest.approx(1.6, abs=0.05), pytest.approx(1.6, abs=0.05))
    count, density = re.match(r"(\d+) localizations, ([\d.]+) /µm²", found).groups()
    assert int(count) == 30
    assert float(density) == pytest.approx(30 / (width * height), rel=0.02)
    assert (z, photons) == ("mean z -200 nm", "mean photons 1\u202f000 photo-electrons")
    press(picture, "r")
    run.until(lambda: not is_shown(picture, "region"))
    assert "measuring" not in canvas.get_attribute("class")


def test_views_of_the_camera(run, picture):
    press(picture, "m")
    run.until(lambda: text(picture, "pane-left") == "no sum of frames yet")
    pixels = np.full((64, 64), 1e5, np.float32)
    pixels[20:40, 40:60] = 4e5
    run.out.sum(pixels, 900)
    run.until(lambda: text(picture, "pane-left") == "Sum of 900 frames")
    run.until(lambda: picture.execute_script(BRIGHTEST, 0.5, 1) == [255, 255, 255])
    press(picture, "m")
    run.preview(7)
    run.until(lambda: text(picture, "pane-left") == "Frame 7 with localizations to come")
    run.out.found(7, np.array([[1000, 700], [1500, 900]], np.float32))
    run.until(lambda: text(picture, "pane-left") == "Frame 7 with 2 localizations")
    run.preview(8)
    press(picture, "m")
    run.until(lambda: text(picture, "pane-right") == "Sum of 900 frames")
    assert text(picture, "pane-left") == "Super-resolved"
    run.until(lambda: picture.execute_script(BRIGHTEST, 0.5, 1) == [255, 255, 255])
    press(picture, "m")
    run.until(lambda: text(picture, "pane-left") == "Super-resolved over Sum of 900 frames")
    press(picture, "m")
    run.until(lambda: not is_shown(picture, "pane-left"))


def test_the_view_and_the_picture_are_saved(run, picture):
    picture.execute_script(TAKE_FILES)
    press(picture, "e")
    run.until(lambda: picture.execute_script("return window.taken.length"))
    canvas = picture.execute_script("const c = document.getElementById('picture'); return [c.width, c.height]")
    assert picture.execute_async_script(SIZE) == canvas
    assert picture.execute_script("return [window.taken[0], window.blob.type]") == [
        "livesmlm-run-1-sr-density.png", "image/png",
    ]  # fmt: skip
    picture.find_element(By.ID, "save-picture").click()
    run.until(lambda: picture.execute_script("return window.taken.length") == 2)
    assert text(picture, "picture-notice") == "The picture is saved as OME-TIFF."


def test_keys_move_zoom_and_fit(run, picture):
    whole = text(picture, "scale-text")
    press(picture, "+++++")
    run.until(lambda: text(picture, "scale-text") != whole)
    point_at(picture, 3200, 3200)
    before = text(picture, "pointer")
    press(picture, "\ue014")
    run.until(lambda: text(picture, "pointer") != before)
    press(picture, "0")
    run.until(lambda: text(picture, "scale-text") == whole)


def test_two_fingers_zoom(run, picture):
    whole = text(picture, "scale-text")
    picture.execute_script(PINCH)
    run.until(lambda: text(picture, "scale-text") != whole)


def test_help_lists_the_keys_of_all(picture):
    press(picture, "?")
    words = text(picture, "help-keys")
    assert all(line in words for line in ("next colour", "measure in a rectangle", "full screen"))
    press(picture, "?")
    assert not is_shown(picture, "help")


def test_colours_that_a_run_does_not_have_are_not_offered(run, browser):
    run.until(lambda: text(browser, "source"))
    options = browser.find_elements(By.CSS_SELECTOR, "#colour-by option")
    assert [option.get_attribute("disabled") for option in options] == [None, None, None, None, "true"]
    start = {"rig": {"render": {"colours": ["z", "photons"]}}, "card": {"columns": ["frame", "x_nm", "photons"]}}
    browser.execute_async_script(OFFER, start)
    assert [option.get_attribute("disabled") for option in options] == [None, "true", "true", None, "true"]


def test_a_coarser_tile_is_as_bright_as_a_finer_one(picture):
    script = """
    const done = arguments[0];
    import("/static/half.js").then(({ quartered, VALUES }) => {
      const bits = Uint16Array.from([0, 0x3c00, 0x5640, 0x0001]);
      done([quartered(bits, 1), quartered(bits, -1)].map((found) => [...found].map((pattern) => VALUES[pattern])));
    });
    """
    finer, coarser = picture.execute_async_script(script)
    assert finer == [0, 0.25, 25, 0]
    assert coarser[:3] == [0, 4, 400]
