// The optics, watched while the data is taken: wavefront, pupil, what has changed, and the PSF.

import { drawDivergingLegend } from "./diverging.js";
import { ModeTrace } from "./mode_trace.js";
import { count, duration } from "./numbers.js";
import { Psf } from "./psf.js";
import { drawPupil } from "./pupil.js";
import { Wavefront } from "./wavefront.js";

const MOST_SAMPLES = 960;
const LATE = 10; // intervals without an estimate that are worth a look
const LEAST_LATE_S = 60;
const SURE = 3; // a change is one if it is so many of its standard deviations, and as many waves:
const MATTERS_WAVES = 0.01;
const element = (id) => document.getElementById(id);
const show = (id, text) => (element(id).textContent = text);

export class Optics {
  constructor() {
    this.bars = new Wavefront(element("wavefront"), element("wavefront-readout"));
    this.trace = new ModeTrace(element("mode-trace"), element("mode-legend"), element("mode-span"));
    this.spots = new Psf();
    drawDivergingLegend(element("pupil-legend"));
    setInterval(() => this.showAge(), 1000);
    this.start(null);
  }

  /** Forget the run before; `run` is its `start` message. */
  start(run) {
    this.settings = run?.rig?.phase;
    [this.samples, this.newest] = [[], null];
    this.spots.clear();
    this.reveal(false);
    show("optics-none", run ? waitingFor(this.settings) : "No run yet.");
    show("optics-source", "");
  }

  /** Take what was estimated before this page was opened. */
  history(samples) {
    this.samples = samples.map(({ age_s, waves }) => ({ waves, at: performance.now() - 1000 * age_s }));
    this.draw();
  }

  take(phase) {
    this.newest = { ...phase, at: performance.now() - 1000 * phase.age_s };
    this.samples.push(this.newest);
    if (this.samples.length > MOST_SAMPLES) this.samples = this.samples.filter((_, i) => i % 2 === 0);
    this.draw();
  }

  psf(header, pixels) {
    this.spots.take(header, pixels);
  }

  draw() {
    if (!this.newest) return;
    this.reveal(true);
    const { waves, sigma, source, molecules } = this.newest;
    show("optics-source", source === "molecules" ? `waves, from ${count(molecules)} molecules` : `waves, from ${source}`);
    showFigures(this.newest, this.settings);
    this.showAge();
    drawPupil(waves);
    this.bars.draw(waves, sigma, this.samples[0].waves);
    this.trace.draw(this.samples);
  }

  reveal(estimated) {
    for (const id of ["optics-estimate", "mode-panel"]) element(id).hidden = !estimated;
    element("optics-none").hidden = estimated;
  }

  showAge() {
    if (!this.newest) return;
    const age = (performance.now() - this.newest.at) / 1000;
    const late = this.newest.source === "molecules" && age > Math.max(LEAST_LATE_S, LATE * (this.settings?.every_s ?? 0));
    show("optics-age", `${late ? "▲ " : ""}${duration(age)}`);
    element("optics-age").classList.toggle("amber", late);
  }
}

function waitingFor(settings) {
  if ((settings?.mode ?? "off") === "off") return 'The optics are not watched: [phase] mode is "off" in the rig.';
  const what = settings.mode === "beads" ? "a sweep of the stage has shown beads" : "there are single molecules enough";
  return `No estimate yet: the first one comes when ${what}.`;
}

function showFigures(phase, settings) {
  const rms = Math.hypot(...phase.waves);
  const change = phase.change_waves;
  const changed = change > Math.max(SURE * phase.change_sigma_waves, MATTERS_WAVES);
  show("optics-rms", rms.toFixed(3));
  show("optics-error", phase.rms_error_waves.toFixed(3));
  show("optics-change", change.toFixed(3));
  show("optics-change-sigma", `±${phase.change_sigma_waves.toFixed(3)}`);
  show("optics-change-name", changed ? "▲ change" : "change");
  for (const id of ["optics-change", "optics-change-name"]) element(id).classList.toggle("amber", changed);
  show("optics-epoch", count(phase.psf_epoch));
  show("optics-reason", phase.reason ? `▲ ${phase.reason}` : "");
  const mask = settings?.mask;
  show("optics-mask", mask ?? "none");
}
