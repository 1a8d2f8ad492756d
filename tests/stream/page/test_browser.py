"""The page as a person sees it, in headless Chromium."""

import re

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By

pytestmark = pytest.mark.browser

IS_BRIGHT = """
const canvas = document.getElementById(arguments[0]);
const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width || 1, canvas.height || 1).data;
return pixels.some((value, i) => i % 4 === 0 && value > 200);
"""
RED = (255, 95, 86)


def text(browser, name):
    return browser.find_element(By.ID, name).text


def colour(element):
    return tuple(int(part) for part in re.findall(r"\d+", element.value_of_css_property("color"))[:3])


def pointed_at(browser):
    """Return the point of the field under the pointer, in nm."""
    found = re.match(r"x ([\d.]+) (\S+)\s+y ([\d.]+) (\S+)", text(browser, "pointer"))
    assert found, "the pointer is outside the field"
    return [float(found[i]) * (1000 if found[i + 1] == "µm" else 1) for i in (1, 3)]


def test_it_shows_picture_frame_numbers_and_facts(run, browser):
    run.localize(3200, 3200)
    run.preview()
    run.health()
    run.until(lambda: browser.execute_script(IS_BRIGHT, "picture") and browser.execute_script(IS_BRIGHT, "preview"))
    run.until(lambda: text(browser, "received-rate") == "50.0")
    shown = {
        name: text(browser, name) for name in ("state", "localizations", "frames-unit", "analysed-rate", "lag", "ring")
    }
    assert shown == {
        "state": "running", "localizations": "12\u202f345", "frames-unit": "of 2\u202f000 frames",
        "analysed-rate": "48.5", "lag": "20", "ring": "25 %",
    }  # fmt: skip
    assert (text(browser, "latency-p99"), text(browser, "preview-frame")) == ("131 ms", "frame 7")
    for fact in (
        "6.4 \u00d7 6.4 µm",
        "64 \u00d7 64 pixels",
        "100 nm",
        "localizer-2d",
        "ONNX Runtime on the CPU",
        "skipped and counted",
    ):
        assert fact in text(browser, "facts")
    assert "offset_adu is not given" in text(browser, "warnings")
    assert text(browser, "verdict") == "Every frame received is accounted for."
    assert not browser.find_element(By.ID, "loss").is_displayed()


def test_pan_zoom_fit_and_contrast_change_the_view(run, browser):
    run.localize(3200, 3200)
    run.until(lambda: browser.execute_script(IS_BRIGHT, "picture"))
    canvas = browser.find_element(By.ID, "picture")
    whole = text(browser, "scale-text")
    ActionChains(browser).move_to_element_with_offset(canvas, 80, -60).perform()
    before = pointed_at(browser)
    ActionChains(browser).scroll_from_origin(ScrollOrigin.from_element(canvas, 80, -60), 0, -1200).perform()
    run.until(lambda: text(browser, "scale-text") != whole)
    ActionChains(browser).move_to_element_with_offset(canvas, 80, -60).perform()
    assert pointed_at(browser) == pytest.approx(before, abs=30), "the wheel zooms at the pointer"
    ActionChains(browser).drag_and_drop_by_offset(canvas, 40, 0).perform()
    ActionChains(browser).move_to_element_with_offset(canvas, 80, -60).perform()
    x_nm, y_nm = run.until(lambda: (at := pointed_at(browser)) != pytest.approx(before, abs=30) and at)
    assert (x_nm < before[0], y_nm) == (True, pytest.approx(before[1], abs=30)), "the field goes with the hand"
    ActionChains(browser).double_click(canvas).perform()
    run.until(lambda: text(browser, "scale-text") == whole)
    ActionChains(browser).scroll_from_origin(ScrollOrigin.from_element(canvas), 0, -3000).perform()
    run.until(lambda: text(browser, "scale-text") == "10 nm")
    run.until(lambda: browser.execute_script(IS_BRIGHT, "picture"))
    dim = "const s = document.getElementById('contrast'); s.value = s.min; s.dispatchEvent(new Event('input'))"
    browser.execute_script(dim)
    run.until(lambda: not browser.execute_script(IS_BRIGHT, "picture"))
    browser.find_element(By.ID, "reset").click()
    run.until(lambda: browser.execute_script(IS_BRIGHT, "picture"))


def test_loss_is_said_in_words_and_in_red(run, browser, ledger):
    losses = {"skipped": {"overload": 137}, "missing": {"camera counter gap": 1}, "verifiable": False}
    run.health(ledger=ledger | losses)
    chip = browser.find_element(By.ID, "loss")
    run.until(lambda: chip.is_displayed())
    assert chip.text == "138 frames lost"
    verdict = browser.find_element(By.ID, "verdict")
    assert (verdict.text, colour(verdict)) == ("Lost: 137 frames not analysed, 1 frame never arrived.", RED)
    lines = browser.find_elements(By.CSS_SELECTOR, "#ledger .loss")
    assert [line.text for line in lines] == ["skipped: overload 137", "missing: camera counter gap 1"]
    assert {colour(line.find_element(By.TAG_NAME, "td")) for line in lines} == {RED}
    assert "Unverifiable: the camera gives no frame counter" in text(browser, "counter")


def test_how_a_run_ends_is_said(run, browser):
    run.health()
    run.until(lambda: text(browser, "state") == "running")
    run.out.end({"state": "finished", "message": ""})
    run.until(lambda: text(browser, "state") == "finished")
    assert not browser.find_element(By.ID, "banner").is_displayed()
    run.health(state="fault", message="the camera is gone\nreconnect it")
    run.until(lambda: text(browser, "state") == "fault")
    assert text(browser, "banner") == "The run ended with a fault. the camera is gone\nreconnect it"


def test_a_run_that_dies_is_called_lost(run, browser):
    run.health()
    run.until(lambda: text(browser, "state") == "running")
    run.close()
    run.until(lambda: text(browser, "state") == "no connection")
    assert "The run has given no sign of life" in text(browser, "banner")
