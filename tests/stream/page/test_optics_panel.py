"""The optics as a person sees them: wavefront, pupil, PSF, and what was done to the microscope."""

from typing import Any

import numpy as np
import pytest
from selenium.webdriver.common.by import By

from models.optics import zernike
from models.optics.slices import PsfSlices
from stream.feedback.action import Action
from stream.sinks.zmq_out import PublishSettings

pytestmark = pytest.mark.browser

NOLL = tuple(range(2, 29))
RGB_AT = "return [...document.querySelector(arguments[0]).getContext('2d').getImageData(...arguments[1], 1, 1).data]"


def of_module(browser, name: str, expression: str, given: Any = None) -> Any:
    """Return what an expression of a `module` of the page is."""
    script = f"import('/static/{name}.js').then((module) => arguments[arguments.length - 1]({expression}))"
    return browser.execute_async_script(f"const given = arguments[0]; {script}", given)


def waves(**modes: float) -> np.ndarray:
    return np.array([modes.get(f"z{j}", 0.0) for j in NOLL], np.float32)


def facts(**more: Any) -> dict[str, Any]:
    usual = {
        "source": "molecules", "frame": 90, "psf_epoch": 1, "sigma": [0.0] * 3 + [0.002] * 24,
        "rms_error_waves": 0.008, "change_waves": 0.05, "change_sigma_waves": 0.001, "molecules": 80,
    }  # fmt: skip
    return usual | more


def psf(brightest: float) -> PsfSlices:
    images = np.zeros((3, 5, 7), np.float32)
    images[:, 2, 3] = brightest
    return PsfSlices(images, (-500.0, 0.0, 500.0), 100.0)


@pytest.fixture
def panel(run, browser):
    run.until(lambda: text(browser, "source") != "")
    browser.find_element(By.CSS_SELECTOR, "[data-tab=optics]").click()
    return browser


def text(browser, name: str) -> str:
    return browser.find_element(By.ID, name).text


def colour_at(browser, selector: str, x: int, y: int) -> list[int]:
    return browser.execute_script(RGB_AT, selector, [x, y])


def test_the_pages_polynomials_are_those_of_the_models(browser):
    x, y = np.random.default_rng(0).uniform(-0.7, 0.7, (2, 20))
    expression = "given.modes.map((j) => given.x.map((x, i) => module.zernike(j, x, given.y[i])))"
    found = of_module(browser, "zernike", expression, {"modes": NOLL, "x": x.tolist(), "y": y.tolist()})
    np.testing.assert_allclose(found, zernike.basis(NOLL, x, y), atol=1e-12)
    orders = of_module(browser, "zernike", "given.map(module.nollToNm)", NOLL)
    assert [tuple(order) for order in orders] == [zernike.noll_to_nm(j) for j in NOLL]


def test_the_drawn_wavefront_has_the_root_mean_square_of_its_coefficients(browser):
    coefficients = np.random.default_rng(1).normal(0, 0.02, 27)
    values = of_module(browser, "zernike", "[...module.wavefront(given, 128)]", coefficients.tolist())
    inside = np.array([value for value in values if value is not None])
    assert len(inside) / 128**2 == pytest.approx(np.pi / 4, rel=0.01)
    assert np.sqrt((inside**2).mean()) == pytest.approx(np.linalg.norm(coefficients), rel=0.02)


@pytest.mark.parametrize(
    ("noll", "name"),
    [(4, "defocus"), (5, "astigmatism 45°"), (6, "astigmatism 0°"), (7, "coma y"), (8, "coma x"), (9, "trefoil 30°"),
     (11, "spherical"), (12, "second astigmatism 0°"), (16, "second coma x"), (22, "second spherical"),
     (23, "third astigmatism 45°"), (28, "hexafoil 0°")],
)  # fmt: skip
def test_modes_are_called_as_people_call_them(browser, noll, name):
    assert of_module(browser, "zernike", "module.nameOf(given)", noll) == name


def test_the_colours_of_both_sides_are_equally_light_and_lighter_the_farther_from_zero(browser):
    colours = np.array(of_module(browser, "diverging", "[...module.DIVERGING]"), np.uint32)
    linear = (np.stack([colours >> shift & 255 for shift in (0, 8, 16)]) / 255.0) ** 2.2
    luminance = np.array([0.2126, 0.7152, 0.0722]) @ linear
    middle = len(colours) // 2
    assert luminance[middle] < 0.01
    assert (np.diff(luminance[middle:]) > 0).all()
    np.testing.assert_allclose(luminance, luminance[::-1], atol=0.08)
    assert (linear[2, 0] > 2 * linear[0, 0], linear[0, -1] > 2 * linear[2, -1]) == (True, True), "blue, and orange"


def test_an_estimate_is_shown_in_figures_bars_and_the_pupil(run, panel):
    assert "No estimate yet: the first one comes when there are single molecules enough." in text(panel, "optics-none")
    run.out.phase(waves(z8=-0.03), facts(psf_epoch=0, change_waves=0.004, change_sigma_waves=0.002))
    run.until(lambda: text(panel, "optics-rms") == "0.030")
    assert (text(panel, "optics-change-name"), text(panel, "optics-error")) == ("change", "0.008")
    run.out.phase(waves(z8=0.05), facts())
    run.until(lambda: text(panel, "optics-rms") == "0.050")
    assert (text(panel, "optics-change-name"), text(panel, "optics-change-sigma")) == ("▲ change", "±0.001")
    assert (text(panel, "optics-source"), text(panel, "optics-epoch")) == ("waves, from 80 molecules", "1")
    assert text(panel, "wavefront-readout") == "Noll 8, coma x: +0.050 ± 0.002"
    assert text(panel, "optics-mask") == "astigmatism"
    assert len(panel.find_elements(By.CSS_SELECTOR, "#wavefront .bar")) == 27
    assert len(panel.find_elements(By.CSS_SELECTOR, "#wavefront .sure")) == 1
    edge = zernike.evaluate(8, 1.0, 0.0) * 0.05
    assert float(text(panel, "pupil-high")) == pytest.approx(edge, abs=0.01)
    left, right = (colour_at(panel, "#pupil", x, 64) for x in (2, 125))
    assert (left[2] > left[0], right[0] > right[2]) == (True, True), (
        "coma x is below zero on the left, above on the right"
    )
    assert "8 coma x" in text(panel, "mode-legend")
    assert text(panel, "mode-span").startswith("2 estimates")
    assert text(panel, "optics-age").endswith(" s")


def test_a_bar_under_the_pointer_is_named(run, panel):
    run.out.phase(waves(z8=0.05, z11=-0.02), facts())
    run.until(lambda: text(panel, "optics-rms") != "")
    over = "document.querySelectorAll('#wavefront .target')[9].dispatchEvent(new Event('pointermove', {bubbles: true}))"
    panel.execute_script(over)
    assert text(panel, "wavefront-readout") == "Noll 11, spherical: \u22120.020 ± 0.002"


def test_the_psf_is_shown_beside_that_of_the_start(run, panel):
    run.out.psf(psf(0.10), epoch=0)
    run.until(lambda: text(panel, "psf-epoch") == "as at the start")
    assert len(panel.find_elements(By.CSS_SELECTOR, "#psf canvas")) == 3
    run.out.psf(psf(0.08), epoch=2)
    run.until(lambda: text(panel, "psf-epoch") == "epoch 2")
    assert len(panel.find_elements(By.CSS_SELECTOR, "#psf canvas")) == 6
    shown = text(panel, "psf").split("\n")
    assert [line for line in shown if "nm" in line or "focus" in line or "%" in line] == [
        "\u2212500 nm", "in focus", "+500 nm", "200 nm", "80 %", "80 %", "80 %",
    ]  # fmt: skip
    middles = [colour_at(panel, f"#psf figure:nth-of-type({k}) canvas", 3, 2)[0] for k in (1, 4)]
    assert middles == [255, round(255 * 0.8**0.7)]


def test_who_comes_late_sees_the_trace_the_psf_of_the_start_and_the_actions(run, panel):
    for epoch, size in ((0, 0.01), (1, 0.03), (2, 0.05)):
        run.out.phase(waves(z8=size), facts(psf_epoch=epoch))
        run.out.psf(psf(0.1 - size), epoch)
    run.out.action(Action("start", -1, "before the first frame", new=0.5).to_dict("2026-11-27T16:00:00+00:00"))
    run.until(lambda: text(panel, "psf-epoch") == "epoch 2" and text(panel, "actions") != "")
    panel.refresh()
    run.until(lambda: text(panel, "mode-span").startswith("3 estimates"))
    run.until(lambda: len(panel.find_elements(By.CSS_SELECTOR, "#psf canvas")) == 6)
    assert "before the first frame" in text(panel, "actions")


def test_actions_are_listed_newest_first_and_a_dry_run_is_marked(run, panel):
    assert not panel.find_element(By.ID, "actions-panel").is_displayed()
    done = [
        Action("start", -1, "before the first frame", new=0.5, dry_run=True),
        Action("change", 99, "12 molecules in a frame, 20 wanted", 0.5, 0.75, None, 12.0, 50, dry_run=True),
        Action("fault", 120, "it reads back something else; nothing is changed any more", 0.75, 1.0, 0.2),
    ]
    for number, action in enumerate(done):
        run.out.action(action.to_dict(f"2026-11-27T16:00:0{number}+00:00"))
    items = run.until(lambda: len(found := panel.find_elements(By.CSS_SELECTOR, "#actions li")) == 3 and found)
    assert text(panel, "actions-device") == "Laser405 Voltage"
    lines = [item.text.replace("\n", " ") for item in items]
    assert "✖ fault 0.75 → 1 (reads 0.2)" in lines[0]
    assert "dry run" not in lines[0]
    assert "▲ 0.5 → 0.75" in lines[1]
    assert "dry run" in lines[1]
    assert "12 molecules in a frame, 20 wanted" in lines[1]
    assert "● start 0.5" in lines[2]


def test_another_run_forgets_the_optics_of_the_last(run, new_run, panel):
    run.out.phase(waves(z8=0.05), facts())
    run.out.psf(psf(0.1), epoch=0)
    run.until(lambda: text(panel, "optics-rms") == "0.050")
    run.until(lambda: text(panel, "psf-epoch") != "")
    address, snapshots = run.out.address, run.out.snapshot_address
    run.close()
    again = new_run("run-2", PublishSettings(address=address, snapshot_address=snapshots))
    again.until(lambda: again.health() or "No estimate yet" in text(panel, "optics-none"))
    assert not panel.find_element(By.ID, "psf-panel").is_displayed()
