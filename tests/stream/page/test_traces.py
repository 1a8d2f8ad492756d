"""Traces of a night: bounded, nothing that was extreme is lost, and the browser keeps them as the page process does."""

import json

import numpy as np
import pytest

from stream.page.traces import MOST, SPANS, Traces

FIELDS = {"lag": ("lag_frames",), "rate": ("frames_per_s", "received")}


def night(hours: float, every_s: float = 0.5) -> tuple[Traces, float]:
    """A run with one short spike, and a rate that rises steadily."""
    traces, count = Traces(FIELDS), int(hours * 3600 / every_s)
    for k in range(count):
        lag = 5000 if k == count // 3 else 7
        traces.add({"lag_frames": lag, "frames_per_s": {"received": k / count}}, 50.0 + k * every_s)
    return traces, 50.0 + count * every_s


@pytest.mark.parametrize("hours", [0.02, 1.0, 10.0])
def test_a_night_is_kept_in_bounded_memory_with_its_spike(hours):
    traces, end = night(hours)
    spans = traces.content(end)
    for name, (_, length_s) in SPANS.items():
        ages = spans[name]["age_s"]
        assert len(ages) <= (MOST if length_s is None else length_s / SPANS[name][0] + 1)
        assert ages == sorted(ages, reverse=True)
    whole = spans["whole"]
    assert max(whole["fields"]["lag"]["high"]) == 5000, "a spike is seen however long ago it was"
    assert min(whole["fields"]["lag"]["low"]) == 7
    assert whole["age_s"][0] == pytest.approx(hours * 3600, abs=2 * whole["step_s"]), "it begins at the beginning"
    assert sum(whole["count"]) == int(hours * 7200)
    assert len(json.dumps(spans)) < 500_000


def test_buckets_hold_means():
    traces, end = night(10.0)
    whole = traces.content(end)["whole"]
    share = 1 - np.array(whole["age_s"]) / (10 * 3600)
    assert np.abs(np.array(whole["fields"]["rate"]["mean"]) - share).max() < 2 * whole["step_s"] / 36_000


def test_what_is_not_known_stays_unknown():
    traces = Traces(FIELDS)
    for k, header in enumerate(({}, {"lag_frames": None}, {"lag_frames": float("nan")}, {"frames_per_s": 3})):
        traces.add(header, 3.1 * k)
    traces.add({"lag_frames": 4}, 9.4)
    fields = traces.content(10.0)["whole"]["fields"]
    assert fields["lag"]["mean"] == [None, None, None, 4]
    assert fields["rate"]["high"] == [None] * 4


@pytest.mark.browser
def test_the_browser_keeps_what_the_page_process_keeps(browser):
    """Half a night came before the page was opened, the other half comes live."""
    script = """
    const [half, samples, done] = arguments;
    import("/static/traces.js").then(({ Traces }) => {
      let now = 0;
      performance.now = () => 1000 * now;
      const traces = new Traces();
      now = half.end;
      traces.load({ health: half.spans });
      for (const [at, sample] of samples) { now = at; traces.add("health", sample); }
      done(["recent", "middle", "whole"].map((span) => traces.points("health", span, "lag")));
    });
    """
    rng = np.random.default_rng(2)
    lags = rng.integers(0, 100, 9000)
    traces = Traces(FIELDS)
    for k in range(4000):
        traces.add({"lag_frames": int(lags[k])}, 0.5 * k + 0.25)
    half = {"spans": traces.content(2000.0), "end": 2000.0}
    samples = [[0.5 * k + 0.25, {"lag": int(lags[k]), "rate": None}] for k in range(4000, 9000)]
    recent, middle, whole = browser.execute_async_script(script, half, samples)
    for k in range(4000, 9000):
        traces.add({"lag_frames": int(lags[k])}, 0.5 * k + 0.25)
    ours = traces.content(4500.0)
    for theirs, name in ((recent, "recent"), (middle, "middle"), (whole, "whole")):
        assert len(theirs) == pytest.approx(len(ours[name]["age_s"]), rel=0.15)
        mean = np.mean([point["mean"] for point in theirs])
        assert mean == pytest.approx(np.mean(ours[name]["fields"]["lag"]["mean"]), abs=1.5)
    assert whole[0]["at"] == pytest.approx(0, abs=ours["whole"]["step_s"])
    assert max(point["high"] for point in whole) == lags.max()
    assert len(whole) <= MOST
