"""The panels beside the picture: traces, histograms, sample, alarms and the verdict, as a person sees them."""

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.browser

HAS_COLOUR = """
const [id, red, green, blue] = arguments;
const canvas = document.getElementById(id);
const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width || 1, canvas.height || 1);
for (let i = 0; i < data.length; i += 4) {
  if (Math.abs(data[i] - red) + Math.abs(data[i + 1] - green) + Math.abs(data[i + 2] - blue) < 24) return true;
}
return false;
"""
BLUE, AMBER = (111, 177, 232), (231, 177, 92)
ALARM = {
    "name": "density", "since_s": 125.0, "level": "amber", "what": "too dense: 3 molecules/µm², 2 known",
    "remedy": "less activation (405 nm)",
}  # fmt: skip
SIGMA = {"sigma_x_nm": 7.0, "sigma_y_nm": 7.5}
DASH = "\u2013"
LOST = {"name": "lost", "since_s": 8.0, "level": "red", "what": "frames are lost: 3", "remedy": "close other programs"}


def statistics(photons=800.0, **more):
    counts = np.zeros(48, int)
    counts[20:26] = (3, 9, 20, 14, 6, 1)
    bins = {"low": 10, "high": 1e5, "logarithmic": True, "now": counts.tolist(), "all": (10 * counts).tolist()}
    width = {"low": 0, "high": 60, "logarithmic": False, "now": counts.tolist(), "all": counts.tolist()}
    usual = {
        "frame": 200, "frames": 40, "localizations": 800, "sampled": 800, "spots": 300, "localizations_per_frame": 20.0,
        "mean_density_per_um2": 0.1, "density_per_um2": 0.4, "on_time_frames": 2.1,
        "median": {"photons": photons, "background": 12.0, "spot_sigma_nm": 120.0} | SIGMA,
        "histograms": {"photons": bins, "background": bins, "sigma_x_nm": width, "sigma_y_nm": width},
        "trained": {"photons": [100, 10_000], "background": [0, 200], "density_per_um2": [0.02, 2]},
        "start": {"photons": 800.0, "spot_sigma_nm": 118.0} | SIGMA,
    }  # fmt: skip
    return usual | more


def shown(browser, name):
    return browser.find_element(By.ID, name).text


def glance(browser):
    return " ".join(shown(browser, "overall").split())


def press(browser, key):
    browser.find_element(By.TAG_NAME, "body").send_keys(key)


def panel(browser):
    """Return the names of the panels that are seen."""
    return [
        node.get_attribute("data-panel")
        for node in browser.find_elements(By.CSS_SELECTOR, "[data-panel]")
        if node.is_displayed()
    ]


def figure(browser, name):
    return browser.find_element(By.CSS_SELECTOR, f"[data-figure='{name}']").text


def drawn(browser, name, colour=BLUE):
    return browser.execute_script(HAS_COLOUR, name, *colour)


def test_keys_and_clicks_choose_the_panel_and_the_choice_is_kept(run, browser):
    run.health()
    press(browser, "1")
    run.until(lambda: panel(browser) == ["stream"])
    for key, name in (("2", "molecules"), ("3", "sample"), ("4", "optics")):
        press(browser, key)
        run.until(lambda name=name: panel(browser) == [name])
        assert browser.find_element(By.CSS_SELECTOR, "[aria-selected='true']").get_attribute("data-tab") == name
    browser.refresh()
    run.until(lambda: panel(browser) == ["optics"])
    browser.find_element(By.CSS_SELECTOR, "[data-tab='molecules']").click()
    assert panel(browser) == ["molecules"]
    browser.find_element(By.CSS_SELECTOR, "[data-tab='stream']").send_keys(Keys.CONTROL, "2")
    assert panel(browser) == ["molecules"], "the browser's own shortcuts are left alone"


def test_a_wide_screen_shows_all_panels_at_once(run, browser):
    size = {"width": 3840, "height": 2160, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        run.health()
        run.out.statistics(statistics())
        run.until(lambda: panel(browser) == ["stream", "molecules", "sample", "optics"])
        run.until(lambda: drawn(browser, "photons-plot") and drawn(browser, "rate-plot"))
        text_px = browser.execute_script("return parseFloat(getComputedStyle(document.body).fontSize)")
        assert text_px > 20, "it is read from two metres"
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (768, 1024), (1024, 768)])
def test_nothing_lies_beside_the_screen(run, browser, width, height):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        run.health(alarms=[LOST, ALARM])
        run.until(lambda: shown(browser, "lag") == "20")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert browser.find_element(By.ID, "picture").size["height"] > height / 4
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_molecules_are_drawn_over_what_the_model_knows(run, browser):
    press(browser, "2")
    run.out.statistics(statistics())
    run.out.statistics(statistics(photons=850.0))
    run.until(lambda: figure(browser, "photons") == "850")
    assert (figure(browser, "per-frame"), figure(browser, "density"), figure(browser, "on-time")) == (
        "20",
        "0.4",
        "2.1",
    )
    assert (figure(browser, "sigma-x"), figure(browser, "spot")) == ("7", "120")
    for plot in ("photons-plot", "per-frame-plot", "sigma-plot", "spot-plot", "photons-histogram"):
        assert drawn(browser, plot), plot
    assert not browser.find_element(By.ID, "z-plot").is_displayed(), "a model in focus gives no heights"
    run.out.statistics(statistics(photons=60.0))
    run.until(lambda: figure(browser, "photons") == "▲ 60")


def test_the_time_that_traces_show_is_chosen_by_button_and_key(run, browser):
    run.health()
    for name, key in (("middle", ""), ("whole", ""), ("recent", "t"), ("middle", "t")):
        if key:
            press(browser, key)
        else:
            browser.find_element(By.CSS_SELECTOR, f"[data-span='{name}']").click()
        pressed = browser.find_element(By.CSS_SELECTOR, "[data-span][aria-pressed='true']")
        assert pressed.get_attribute("data-span") == name
    browser.find_element(By.CSS_SELECTOR, "[data-span='recent']").click()


def test_what_came_before_the_page_was_opened_is_drawn(run, browser):
    press(browser, "1")
    for lag in (10, 900, 20):
        run.health(lag_frames=lag)
    run.until(lambda: shown(browser, "lag") == "20")
    browser.refresh()
    script = "return import('/static/main.js').then(() => document.getElementById('lag').textContent)"
    run.until(lambda: browser.execute_script(script) == "20")
    run.until(lambda: drawn(browser, "lag-plot"))


def test_drift_and_resolution_are_shown_once_they_come(run, browser):
    press(browser, "3")
    run.health()
    run.until(lambda: "Neither drift nor resolution" in shown(browser, "sample-empty"))
    drift = [[3.0 * k, -2.0 * k, None] for k in range(10)]
    run.out.drift({"method": "aim", "frames": [100 * k for k in range(10)], "drift_nm": drift, "remark": "few blocks"})
    run.until(lambda: shown(browser, "drift-x") == "+27.0")
    assert (shown(browser, "drift-y"), shown(browser, "drift-z")) == ("-18.0", DASH)
    assert shown(browser, "drift-remark") == "▲ few blocks"
    assert drawn(browser, "drift-plot")
    assert drawn(browser, "drift-plot", AMBER)
    run.out._send("resolution", {
        "frame": 900, "localizations": 90_000, "frc_nm": 31.4, "frc_caveat": "too optimistic",
        "frc_curve": {"frequency_per_um": [1.0, 20.0, 50.0], "correlation": [0.98, 0.5, 0.02]}, "nena_nm": 8.6,
        "subpixel": {"x": [0.05] * 20, "y": [0.05] * 20, "verdict": "evenly spread", "flat": True},
    })  # fmt: skip
    run.until(lambda: shown(browser, "frc") == "31.4")
    assert (shown(browser, "nena"), shown(browser, "subpixel-verdict")) == ("8.6", "✓ evenly spread")
    assert "too optimistic" in shown(browser, "frc-caveat")
    for plot in ("resolution-plot", "frc-plot"):
        assert drawn(browser, plot), plot
    assert not browser.find_element(By.ID, "sample-empty").is_displayed()


def test_bleaching_steps_are_shown_once_they_come(run, browser):
    press(browser, "3")
    run.health()
    trace = {
        "x_nm": 10.0,
        "y_nm": 20.0,
        "steps": 2,
        "probability": 0.912,
        "frame": [0, 50, 100],
        "light_e": [900, 450, 3],
    }
    counted = {"spots": 40, "counted": [0, 8, 20, 12], "population": [0, 0.2, 0.5, 0.3], "lit": 3}
    steps = {"frame": 100, "samples": 100, "frames_per_sample": 1, "median_snr": 6.2, "median_step_e": 450.0}
    rows = np.zeros((40, 4), np.float32)
    run.until(lambda: not browser.find_element(By.ID, "bleaching-panel").is_displayed())
    run.out.traces(counted | steps | {"examples": [trace, trace | {"steps": 3}]}, rows)
    run.until(lambda: shown(browser, "bleaching-count") == "of 40 spots")
    assert "3 still shine" in shown(browser, "bleaching-lit")
    assert "450 e⁻ a step, 6.2 times the noise" in shown(browser, "bleaching-lit")
    captions = [node.text for node in browser.find_elements(By.CSS_SELECTOR, "#bleaching-traces figcaption")]
    assert captions == ["2 steps, 91 %", "3 steps, 91 %"]
    run.until(lambda: drawn(browser, "bleaching-plot", (217, 223, 229)))
    label = browser.find_element(By.ID, "bleaching-plot").get_attribute("aria-label")
    assert label == "0 steps: 0, 1 steps: 8, 2 steps: 20, 3 steps: 12"


def test_one_glance_says_whether_the_run_goes_well(run, browser):
    run.health(alarms=[])
    run.until(lambda: glance(browser) == "✓ Going well")
    assert shown(browser, "alarms") == "✓ none"
    assert browser.title == f"Going well {DASH} LiveSMLM"
    run.health(alarms=[ALARM])
    run.until(lambda: glance(browser) == "▲ Too dense")
    assert browser.title == f"▲ Too dense {DASH} LiveSMLM"
    assert not browser.find_element(By.ID, "alarm-banner").is_displayed(), "amber does not take the picture's room"
    assert "What to do" not in shown(browser, "alarms")
    for words in ("▲ Too dense: 3 molecules/µm²", "Less activation (405 nm).", "since 2 min into the run"):
        assert words in shown(browser, "alarms")
    assert browser.find_element(By.CSS_SELECTOR, "[data-tab='molecules']").get_attribute("data-level") == "amber"
    run.health(alarms=[LOST, ALARM])
    run.until(lambda: glance(browser) == "✖ Frames are lost and 1 more")
    assert shown(browser, "alarm-banner") == "✖ Frames are lost: 3. What to do: close other programs."
    run.health(alarms=[])
    run.until(lambda: glance(browser) == "✓ Going well")
    assert not browser.find_element(By.ID, "alarm-banner").is_displayed()


def test_what_was_lost_is_not_forgotten_when_its_alarm_is_over(run, browser, ledger):
    run.health(alarms=[], ledger=ledger | {"missing": {"camera counter gap": 2}})
    run.until(lambda: glance(browser) == "▲ Going well, but 2 frames lost")


def test_a_sound_is_made_only_if_it_is_wanted(run, browser):
    count = "window.tones = 0; const make = AudioContext.prototype.createOscillator; "
    count += "AudioContext.prototype.createOscillator = function () { window.tones++; return make.call(this); };"
    browser.execute_script(count)
    run.health(alarms=[ALARM])
    run.until(lambda: glance(browser) == "▲ Too dense")
    assert browser.execute_script("return window.tones") == 0
    browser.find_element(By.ID, "alarm-sound").click()
    assert browser.execute_script("return window.tones") == 1, "how it sounds is heard when it is switched on"
    run.health(alarms=[LOST, ALARM])
    run.until(lambda: browser.execute_script("return window.tones") == 2)
    run.health(alarms=[LOST, ALARM])
    run.health(alarms=[LOST, ALARM], lag_frames=33)
    run.until(lambda: shown(browser, "lag") == "33")
    assert browser.execute_script("return window.tones") == 2, "once for each alarm"


def test_reasons_for_suspicion_are_named(run, browser, ledger):
    press(browser, "1")
    run.health(ledger=ledger | {"suspicious": {"interval 3.2 times the usual": 4}})
    lines = run.until(lambda: browser.find_elements(By.CSS_SELECTOR, "#ledger .doubt"))
    assert [line.text for line in lines] == ["▲ suspicious: interval 3.2 times the usual 4"]


def test_the_power_of_activation_is_traced(run, browser):
    press(browser, "2")
    run.out.action(
        {"time": "2026-01-01T00:00:00Z", "kind": "change", "frame": 100, "why": "few molecules", "new": 1.25}
    )
    run.until(lambda: shown(browser, "power") == "1.25")
    run.health()
    run.until(lambda: drawn(browser, "power-plot"))
