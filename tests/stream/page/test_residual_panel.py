"""The mean molecule as a person sees it: by height, observed over expected over their difference, in stated colours."""

import numpy as np
import pytest
from selenium.webdriver.common.by import By

from models.guard.molecules.mean_residual import ENOUGH, MeanResidual

pytestmark = pytest.mark.browser

SIDE, HEIGHTS = 13, (-520.0, -260.0, 0.0, 260.0, 520.0)
PIXEL = """
const context = document.querySelectorAll(arguments[0])[arguments[1]].getContext("2d");
return [...context.getImageData(...arguments[2], 1, 1).data];
"""
CANVASES = "#residual canvas"


def mean(heights=HEIGHTS, molecules=(12.4, 200.0, 640.0, 210.0, 80.0), amount=0.15, error=0.01) -> MeanResidual:
    """Gaussians; on the right side of each there is more light than expected, on the left less."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    width = np.array([1.2 + abs(z) / 400 for z in heights])[:, None, None]
    expected = np.exp(-(x**2 + y**2) / 2 / width**2)
    noise = np.random.default_rng(0).normal(0, error, expected.shape)
    difference = amount * x / 2 * expected + noise
    images = np.stack((expected + difference, expected, difference, np.full_like(expected, error))).astype(np.float32)
    images[:, np.array(molecules) < ENOUGH] = np.nan
    return MeanResidual(images, heights, molecules, 100.0)


def texts(browser, selector: str) -> list[str]:
    return [node.text for node in browser.find_elements(By.CSS_SELECTOR, selector)]


def colour(browser, number: int, x: int, y: int) -> list[int]:
    return browser.execute_script(PIXEL, CANVASES, number, [x, y])


def show(run, browser, found: MeanResidual) -> None:
    run.out.guard({"verdict": "inside", "cause": "", "remedy": "", "molecules": 1142, "findings": []})
    run.out.residual(found)
    run.until(lambda: browser.find_element(By.ID, "residual-panel").is_displayed())


def test_heights_with_enough_molecules_are_shown_with_what_was_expected_of_them(run, browser):
    run.health()
    run.until(lambda: browser.find_element(By.ID, "localizations").text != "0")
    assert not browser.find_element(By.ID, "residual-panel").is_displayed()
    show(run, browser, mean())
    assert texts(browser, "#residual b") == ["height, nm", "observed", "expected", "difference"]
    spans = texts(browser, "#residual span")
    assert spans[:5] == ["\u2212520", "\u2212260", "0", "+260", "+520"]
    assert (spans[5:8], spans[8]) == (["–"] * 3, "–"), "12 molecules are too few"  # noqa: RUF001
    assert all(float(text.split()[0]) > 4 for text in spans[9:])
    assert len(spans) == 9 + 4
    assert browser.find_element(By.ID, "residual-count").text == "1\u202f130 molecules"
    assert len(browser.find_elements(By.CSS_SELECTOR, CANVASES)) == 3 * 4
    middle = SIDE // 2
    assert colour(browser, 5, middle, middle) == [255, 255, 255, 255], "the expected peak is white"
    assert colour(browser, 5, 0, 0)[0] < 20
    left, right = (colour(browser, 9, middle + step, middle) for step in (-2, 2))
    assert (left[2] > left[0], right[0] > right[2]) == (True, True), "blue is less light, orange more"
    low, high = (browser.find_element(By.ID, f"residual-{end}").text for end in ("low", "high"))
    assert (low[0], high[0], low[1:]) == ("\u2212", "+", high[1:])


def test_noise_stays_dim(run, browser):
    """Colours span five standard errors, of which noise has one."""
    show(run, browser, mean(amount=0.0))
    assert browser.find_element(By.ID, "residual-high").text == "+5 %"
    strongest = [float(text.split()[0]) for text in texts(browser, "#residual span")[9:]]
    assert max(strongest) < 4
    typical = np.median([max(colour(browser, 9, x, 6)[:3]) for x in range(SIDE)])
    assert typical < 110


def test_in_focus_there_is_one_of_each_beside_the_others(run, browser):
    show(run, browser, mean((0.0,), (500.0,)))
    assert texts(browser, "#residual b") == ["observed", "expected", "difference"]
    tops = {canvas.location["y"] for canvas in browser.find_elements(By.CSS_SELECTOR, CANVASES)}
    assert len(tops) == 1
    assert texts(browser, "#residual span")[:2] == ["", ""]


def test_who_comes_late_sees_it_too(run, browser):
    show(run, browser, mean())
    for _ in range(2):  # verdicts that are newer do not take its place
        run.out.guard({"verdict": "inside", "cause": "", "remedy": "", "molecules": 1200, "findings": []})
    browser.refresh()
    run.until(lambda: browser.find_element(By.ID, "residual-panel").is_displayed())
    assert browser.find_element(By.ID, "residual-width").text == "1.3 µm"
