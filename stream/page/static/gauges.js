// Rates, latencies and queues: the present numbers, and how they went over the last two minutes.

import { count, milliseconds, plural, rate, significant } from "./numbers.js";
import { Plot, SHOWN_S } from "./plots.js";

const perSecond = (value) => `${significant(value)} /s`;

export class Gauges {
  constructor() {
    this.samples = [];
    this.plots = [
      new Plot("rate-plot", [(s) => s.frames_per_s?.received, (s) => s.frames_per_s?.analysed], perSecond),
      new Plot("localization-plot", [(s) => s.localizations_per_s], perSecond),
      new Plot("latency-plot", [(s) => s.latency_ms?.p50, (s) => s.latency_ms?.p99], milliseconds),
      new Plot("lag-plot", [(s) => s.lag_frames], (v) => plural(v, "frame")),
    ];
  }

  clear() {
    this.samples = [];
    this.draw();
  }

  /** Take what was measured before this page was opened. */
  history(samples) {
    this.samples = samples.map((sample) => ({ ...sample, at: performance.now() - 1000 * sample.age_s }));
    this.draw();
  }

  take(health) {
    this.samples.push({ ...health, at: performance.now() - 1000 * health.age_s });
    const figures = {
      "received-rate": rate(health.frames_per_s?.received),
      "analysed-rate": rate(health.frames_per_s?.analysed),
      "localization-rate": rate(health.localizations_per_s),
      "latency-p50": milliseconds(health.latency_ms?.p50),
      "latency-p99": milliseconds(health.latency_ms?.p99),
      "latency-max": milliseconds(health.latency_ms?.max),
      lag: count(health.lag_frames),
      ring: health.ring?.slots ? `${Math.round((100 * health.ring.used) / health.ring.slots)} %` : "–",
      spool: count(health.spooled_frames),
    };
    for (const [id, text] of Object.entries(figures)) document.getElementById(id).textContent = text;
    document.getElementById("spool").classList.toggle("amber", health.spooled_frames > 0);
    this.draw();
  }

  draw() {
    const oldest = (this.samples.at(-1)?.at ?? 0) - 1000 * SHOWN_S;
    this.samples = this.samples.filter((sample) => sample.at >= oldest);
    for (const plot of this.plots) plot.draw(this.samples);
  }
}
