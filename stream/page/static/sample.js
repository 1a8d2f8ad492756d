// The sample: how it has drifted, and how well the picture resolves it.

import { drawCurves } from "./curve.js";
import { count, significant } from "./numbers.js";
import { COLOURS, em, Plot, surface } from "./plots.js";

const element = (id) => document.getElementById(id);
const nm = (value) => `${significant(value)} nm`;
const THRESHOLD = 1 / 7; // of the Fourier ring correlation (Nieuwenhuizen et al., Nature Methods 2013)

export class Sample {
  constructor(traces) {
    this.traces = traces;
    const lines = [{ field: "frc", name: "FRC" }, { field: "nena", name: "NeNA precision" }];
    this.plot = new Plot("resolution-plot", "resolution", lines, nm);
    for (const id of ["drift-plot", "frc-plot", "subpixel-plot"]) new ResizeObserver(() => this.draw()).observe(element(id));
    this.clear();
  }

  clear() {
    [this.drift, this.resolution] = [null, null];
    for (const id of ["drift-panel", "resolution-panel", "frc-panel", "subpixel-panel"]) element(id).hidden = true;
    element("sample-empty").hidden = false;
  }

  takeDrift(drift) {
    this.drift = drift;
    this.show("drift-panel");
    const newest = drift.drift_nm.at(-1) ?? [];
    ["x", "y", "z"].forEach((axis, k) => {
      const known = Number.isFinite(newest[k]);
      element(`drift-${axis}`).textContent = known ? `${newest[k] > 0 ? "+" : ""}${newest[k].toFixed(1)}` : "–";
    });
    element("drift-method").textContent = drift.method ?? "";
    element("drift-remark").textContent = drift.remark ? `▲ ${drift.remark}` : "";
    this.draw();
  }

  takeResolution(resolution) {
    this.resolution = resolution;
    const { frc_nm, nena_nm, frc_caveat, frc_curve, subpixel, localizations } = resolution;
    this.show("resolution-panel");
    element("frc").textContent = Number.isFinite(frc_nm) ? frc_nm.toFixed(1) : "–";
    element("nena").textContent = Number.isFinite(nena_nm) ? nena_nm.toFixed(1) : "–";
    element("frc-caveat").textContent = frc_caveat ?? "";
    element("resolution-count").textContent = `from ${count(localizations)} localizations`;
    element("frc-panel").hidden = !frc_curve?.correlation?.length;
    element("subpixel-panel").hidden = !subpixel;
    if (subpixel) {
      element("subpixel-verdict").textContent = `${subpixel.flat ? "✓" : "▲"} ${subpixel.verdict}`;
      element("subpixel-verdict").classList.toggle("amber", !subpixel.flat);
    }
    this.draw();
  }

  show(id) {
    element(id).hidden = false;
    element("sample-empty").hidden = true;
  }

  draw() {
    if (this.drift?.frames?.length) drawDrift(this.drift);
    if (!this.resolution) return;
    this.plot.draw(this.traces);
    const { frc_curve, subpixel } = this.resolution;
    if (frc_curve?.correlation?.length) drawCorrelation(frc_curve);
    if (subpixel) drawShares(element("subpixel-plot"), subpixel);
  }
}

function drawDrift({ frames, drift_nm }) {
  const lines = ["x", "y", "z"].map((name, k) => ({
    name, points: frames.flatMap((frame, i) => (Number.isFinite(drift_nm[i][k]) ? [[frame, drift_nm[i][k]]] : [])),
  })).filter(({ points }) => points.length);
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const room = Math.max(2, 0.08 * (high - low));
  const options = { yRange: [low - room, high + room], label: nm, left: `frame ${count(frames[0])}`, right: count(frames.at(-1)) };
  drawCurves(element("drift-plot"), lines, options);
}

function drawCorrelation({ frequency_per_um, correlation }) {
  const points = frequency_per_um.map((frequency, i) => [frequency, correlation[i]]);
  drawCurves(element("frc-plot"), [{ name: "FRC", points }], {
    yRange: [-0.1, 1.05], label: significant, level: { y: THRESHOLD, name: "1/7" }, left: `${significant(frequency_per_um[0])} /µm`,
    right: `${significant(frequency_per_um.at(-1))} /µm`,
  });
}

/** Where in their pixel positions lie: filled for x, a line for y; flat is good, and drawn as a dotted line. */
function drawShares(canvas, { x, y }) {
  if (!canvas.clientWidth) return;
  const { context, width, height } = surface(canvas);
  const most = 1.15 * Math.max(...x, ...y, 1 / x.length);
  const axis = height - 1.2 * em();
  const top = (share) => axis - (share / most) * axis;
  [x, y].forEach((shares, i) => {
    const step = width / shares.length;
    context.beginPath();
    context.moveTo(0, axis);
    shares.forEach((share, k) => (context.lineTo(k * step, top(share)), context.lineTo((k + 1) * step, top(share))));
    context.lineTo(width, axis);
    context.fillStyle = context.strokeStyle = COLOURS[i];
    context.globalAlpha = i ? 1 : 0.5;
    if (i) context.stroke();
    else context.fill();
    context.globalAlpha = 1;
  });
  context.strokeStyle = "#d9dfe5";
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(0, top(1 / x.length));
  context.lineTo(width, top(1 / x.length));
  context.stroke();
  context.setLineDash([]);
  context.fillStyle = "#8b96a1";
  context.fillText("edge", 0, height - 0.2 * em());
  context.fillText("centre of the pixel", width / 2 - 3.5 * em(), height - 0.2 * em());
  context.fillText("edge", width - 1.9 * em(), height - 0.2 * em());
}
