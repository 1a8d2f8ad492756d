// Rates, latencies and queues: the present numbers, and how they went.

import { count, milliseconds, plural, rate, significant } from "./numbers.js";
import { Plot } from "./plots.js";

const perSecond = (value) => `${significant(value)} /s`;

export class Gauges {
  constructor(traces) {
    this.traces = traces;
    const rates = [{ field: "received", name: "received" }, { field: "analysed", name: "analysed" }];
    const latencies = [{ field: "p50", name: "median" }, { field: "p99", name: "99 %" }];
    this.plots = [
      new Plot("rate-plot", "health", rates, perSecond),
      new Plot("localization-plot", "health", [{ field: "localizations_per_s" }], perSecond),
      new Plot("latency-plot", "health", latencies, milliseconds),
      new Plot("lag-plot", "health", [{ field: "lag" }], (v) => plural(v, "frame")),
    ];
  }

  take(health) {
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
    for (const plot of this.plots) plot.draw(this.traces);
  }
}
