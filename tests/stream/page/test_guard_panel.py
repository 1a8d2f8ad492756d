"""What the guard says, as a person sees it: words, what was found, what held when; what it flagged can be hidden."""

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By

from models.guard.verdict import SEVERITY, Finding, verdict
from models.localizations import OUTSIDE
from tests.stream.page.test_panels import HAS_COLOUR
from tests.stream.page.test_picture import BRIGHTEST

pytestmark = pytest.mark.browser

FINDINGS = [
    Finding("density", "drifting", "too dense: 3 molecules/µm²", "less activation"),
    Finding("gain", "outside", "gain is 0.70 times what the rig says", "livesmlm calibrate-camera", 3.0),
]
GREEN, AMBER, RED = (88, 196, 160), (231, 177, 92), (255, 95, 86)
DARK = 100
"""The line around the field is a little darker."""
BITS = """
const done = arguments[arguments.length - 1];
import("/static/half.js").then(({ bitsOf, PATTERNS, VALUES }) => {
  for (let bits = 1; bits < PATTERNS; bits++) if (bitsOf(VALUES[bits]) !== bits) return done(bits);
  done("all");
});
"""


def text(browser, name):
    return browser.find_element(By.ID, name).text


def is_shown(browser, name):
    return browser.find_element(By.ID, name).is_displayed()


def say(run, findings, outside=0):
    """Publish what the guard has found, as a run does."""
    now = verdict(findings, frame=90, molecules=5120)
    run.out.guard(now.header())
    run.health(guard={"verdict": now.word, "severity": SEVERITY[now.word]}, outside=outside)


def test_the_verdict_is_in_words_with_cause_remedy_and_all_that_was_found(run, browser):
    run.health()
    run.until(lambda: text(browser, "localizations") != "0")
    assert not is_shown(browser, "guard-panel")
    say(run, [])
    run.until(lambda: text(browser, "guard-verdict") == "✓ inside")
    assert (text(browser, "guard-cause"), text(browser, "guard-remedy")) == ("", "")
    say(run, FINDINGS[:1])
    run.until(lambda: text(browser, "guard-verdict") == "▲ drifting")
    say(run, FINDINGS)
    run.until(lambda: text(browser, "guard-verdict") == "✖ outside")
    assert text(browser, "guard-cause") == FINDINGS[1].cause
    assert text(browser, "guard-remedy") == "What to do: livesmlm calibrate-camera."
    assert text(browser, "guard-findings") == "▲ too dense: 3 molecules/µm²"
    assert text(browser, "guard-molecules") == "5\u202f120 molecules"
    size = browser.find_element(By.ID, "guard-verdict").value_of_css_property("font-size")
    body = browser.find_element(By.TAG_NAME, "body").value_of_css_property("font-size")
    assert float(size.removesuffix("px")) > 1.5 * float(body.removesuffix("px"))


def test_what_held_when_is_a_band_also_for_who_comes_late(run, browser):
    for findings in ([], FINDINGS[:1], FINDINGS):
        say(run, findings)
    for _ in range(2):
        run.until(lambda: text(browser, "guard-verdict") == "✖ outside")
        for colour in (GREEN, AMBER, RED):
            run.until(lambda colour=colour: browser.execute_script(HAS_COLOUR, "guard-history", *colour))
        browser.refresh()


def test_what_was_located_outside_is_hidden_and_shown_again(run, browser):
    def brightest(left, right):
        return max(browser.execute_script(BRIGHTEST, left, right))

    run.localize(1600, 3200, count=30)
    run.localize(4800, 3200, count=30, flags=OUTSIDE)
    run.health()
    run.until(lambda: brightest(0, 0.5) > 200 and brightest(0.5, 1) > 200)
    assert not is_shown(browser, "outside-of")
    ActionChains(browser).send_keys("g").perform()
    assert browser.find_element(By.ID, "show-outside").is_selected(), "there is nothing to hide"
    say(run, FINDINGS, outside=30)
    run.until(lambda: is_shown(browser, "outside-of"))
    assert text(browser, "outside-of").split() == ["30", "located", "outside"]
    browser.find_element(By.ID, "show-outside").click()
    run.until(lambda: brightest(0.5, 1) < DARK < 200 < brightest(0, 0.5))
    run.localize(4800, 3200, count=1, flags=OUTSIDE)
    run.localize(3200, 1600, count=30)
    run.until(lambda: brightest(0.45, 0.55) > 200)
    assert brightest(0.6, 1) < DARK, "what is located outside later is hidden as well"
    ActionChains(browser).send_keys("g").perform()
    run.until(lambda: brightest(0.6, 1) > 200)
    assert browser.find_element(By.ID, "show-outside").is_selected()


def test_half_floats_come_back_from_their_values(browser):
    assert browser.execute_async_script(BITS) == "all"
