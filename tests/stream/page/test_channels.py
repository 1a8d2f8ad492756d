"""Molecules of several colours: mixed by their shares, named in the legend, each a plane of the file that is taken."""

import httpx
import numpy as np
import pytest
import tifffile
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

NAMES = ("600 nm", "680 nm")
BRIGHTEST = """
const [left, right] = arguments;
const canvas = document.getElementById("picture");
const width = Math.round((right - left) * canvas.width);
const { data } = canvas.getContext("2d").getImageData(Math.round(left * canvas.width), 0, width, canvas.height);
let best = [0, 0, 0];
for (let i = 0; i < data.length; i += 4) {
  if (data[i] + data[i + 1] + data[i + 2] > best[0] + best[1] + best[2]) best = [data[i], data[i + 1], data[i + 2]];
}
return best;
"""


@pytest.fixture
def run(new_run):
    return new_run(channels=NAMES)


def test_colours_of_molecules_are_seen_named_and_kept(run, page, browser, tmp_path):
    def brightest(left, right):
        return browser.execute_script(BRIGHTEST, left, right)

    def is_green(left, right):
        red, green, _ = brightest(left, right)
        return green > 150 and green > 1.5 * red

    def is_magenta(left, right):
        red, green, blue = brightest(left, right)
        return min(red, blue) > 100 and green < 0.8 * red

    run.localize(1600, 3200, count=30, channel=0)
    run.localize(4800, 3200, count=30, channel=1)
    run.localize(3200, 3200, count=30, channel=-1)
    run.health()
    run.until(
        lambda: not browser.find_element(By.CSS_SELECTOR, "#colour-by option[value=channel]").get_attribute("disabled")
    )
    Select(browser.find_element(By.ID, "colour-by")).select_by_value("channel")
    run.until(lambda: is_green(0, 0.4) and is_magenta(0.6, 1))
    red, green, blue = brightest(0.45, 0.55)
    assert max(red, green, blue) - min(red, green, blue) < 12, "what was not told is grey"
    assert not browser.find_element(By.ID, "range").is_displayed()
    assert not browser.find_element(By.ID, "layer-missing").is_displayed()
    run.until(lambda: httpx.get(page.url + "render.ome.tif").status_code == 200)
    (tmp_path / "now.ome.tif").write_bytes(httpx.get(page.url + "render.ome.tif").content)
    with tifffile.TiffFile(tmp_path / "now.ome.tif") as tiff:
        planes = tiff.series[0].asarray()
    assert planes.sum((1, 2)) == pytest.approx([30, 30, 30], rel=0.01)
    np.testing.assert_allclose(planes.sum(0), run.renderer.image(), atol=1e-3)
    ActionChains(browser).send_keys("c").perform()
    run.until(lambda: browser.find_element(By.ID, "colour-by").get_attribute("value") == "density")
