// What the molecules are like: traces over time and histograms, each over the range that the model was trained on.

import { drawHistogram, describeHistogram } from "./histogram.js";
import { count, significant } from "./numbers.js";
import { Plot } from "./plots.js";

const element = (id) => document.getElementById(id);
const with_ = (unit) => (value) => `${significant(value)} ${unit}`;
const SIGMA_BAND = [0.75, 1.33]; // of what it was at the start of the run: the training has no range of uncertainties
const WIDER = 1.2; // spots wider than this raise the alarm `focus`
const Z_MOVED_NM = 100; // so does a median height that has moved by this much

const HISTOGRAMS = [
  ["photons-histogram", "photons", "photons"], ["background-histogram", "background", "e⁻/px"],
  ["sigma-x-histogram", "sigma_x_nm", "nm"], ["sigma-y-histogram", "sigma_y_nm", "nm"],
  ["sigma-z-histogram", "sigma_z_nm", "nm"], ["z-histogram", "z_nm", "nm"],
];

export class Molecules {
  constructor(traces) {
    this.traces = traces;
    this.statistics = null;
    const lateral = [{ field: "sigma_x", name: "x" }, { field: "sigma_y", name: "y" }, { field: "sigma_z", name: "z" }];
    this.plots = {
      per_frame: new Plot("per-frame-plot", "statistics", [{ field: "per_frame" }], significant),
      density: new Plot("density-plot", "statistics", [{ field: "density" }], with_("/µm²")),
      photons: new Plot("photons-plot", "statistics", [{ field: "photons" }], count),
      background: new Plot("background-plot", "statistics", [{ field: "background" }], significant),
      sigma: new Plot("sigma-plot", "statistics", lateral, with_("nm")),
      spot: new Plot("spot-plot", "statistics", [{ field: "spot" }], with_("nm"), { zero: false }),
      z: new Plot("z-plot", "statistics", [{ field: "z" }], with_("nm"), { zero: false }),
      power: new Plot("power-plot", "action", [{ field: "power" }], significant, { held: true }),
      on_time: new Plot("on-time-plot", "statistics", [{ field: "on_time" }], with_("frames")),
    };
    for (const [id] of HISTOGRAMS) new ResizeObserver(() => this.drawHistograms()).observe(element(id));
  }

  clear() {
    this.statistics = null;
    element("power-panel").hidden = true;
    for (const plot of Object.values(this.plots)) plot.band = null;
    for (const node of document.querySelectorAll("[data-panel='molecules'] [data-figure]")) node.textContent = "–";
    this.draw();
  }

  take(statistics) {
    this.statistics = statistics;
    const { trained, start, median } = statistics;
    for (const name of ["photons", "background", "density", "on_time"]) this.plots[name].band = band(trained[TRAINED[name]]);
    const deep = "z_nm" in median; // then each axis has a band of its own, which would lie on each other
    this.plots.sigma.band = start.sigma_x_nm && !deep ? band(SIGMA_BAND.map((part) => part * start.sigma_x_nm)) : null;
    this.plots.spot.band = start.spot_sigma_nm ? band([0, WIDER * start.spot_sigma_nm]) : null;
    this.plots.z.band = Number.isFinite(start.z_nm) ? band([start.z_nm - Z_MOVED_NM, start.z_nm + Z_MOVED_NM]) : null;
    for (const node of document.querySelectorAll("[data-only='depth']")) node.hidden = !deep;
    for (const node of document.querySelectorAll("[data-only='flat']")) node.hidden = deep;
    this.showFigures(statistics);
    this.draw();
  }

  /** Take what was done to the microscope: the value that was set last. */
  takePower(sample) {
    element("power-panel").hidden = false;
    if (Number.isFinite(sample.power)) element("power").textContent = significant(sample.power);
    this.plots.power.draw(this.traces);
  }

  showFigures({ localizations_per_frame, density_per_um2, on_time_frames, median, trained }) {
    const figures = {
      "per-frame": [localizations_per_frame], density: [density_per_um2, trained.density_per_um2],
      photons: [median.photons, trained.photons], background: [median.background, trained.background],
      "on-time": [on_time_frames, trained.on_time_frames], z: [median.z_nm], spot: [median.spot_sigma_nm],
      "sigma-x": [median.sigma_x_nm], "sigma-y": [median.sigma_y_nm], "sigma-z": [median.sigma_z_nm],
    };
    for (const [name, [value, ends]] of Object.entries(figures)) {
      const outside = ends && Number.isFinite(value) && (value < ends[0] || value > ends[1]);
      const node = document.querySelector(`[data-figure='${name}']`);
      node.textContent = (outside ? "▲ " : "") + significant(value ?? NaN);
      node.classList.toggle("amber", Boolean(outside));
    }
  }

  draw() {
    for (const plot of Object.values(this.plots)) plot.draw(this.traces);
    this.drawHistograms();
  }

  drawHistograms() {
    for (const [id, name, unit] of HISTOGRAMS) {
      const histogram = this.statistics?.histograms[name];
      if (!histogram) continue;
      drawHistogram(element(id), histogram, this.statistics.trained[name], unit);
      element(id).setAttribute("aria-label", describeHistogram(histogram, name));
    }
  }
}

const TRAINED = { photons: "photons", background: "background", density: "density_per_um2", on_time: "on_time_frames" };

function band(ends) {
  return ends ? { low: ends[0], high: ends[1] } : null;
}
