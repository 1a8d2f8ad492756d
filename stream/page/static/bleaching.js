// Bleaching steps of spots that are followed: how many have how many, and some of their traces.

import { drawCurves } from "./curve.js";
import { count, significant } from "./numbers.js";
import { COLOURS, em, surface } from "./plots.js";

const element = (id) => document.getElementById(id);
const percent = (part) => `${Math.round(100 * part)} %`;

export class Bleaching {
  constructor() {
    for (const id of ["bleaching-plot", "bleaching-traces"]) new ResizeObserver(() => this.draw()).observe(element(id));
    this.clear();
  }

  clear() {
    this.found = null;
    element("bleaching-panel").hidden = true;
    element("bleaching-traces").replaceChildren();
  }

  take(found) {
    this.found = found;
    element("bleaching-panel").hidden = false;
    element("sample-empty").hidden = true;
    element("bleaching-count").textContent = `of ${count(found.spots)} spots`;
    const step = found.median_step_e === null ? "" : `, ${significant(found.median_step_e)} e⁻ a step, ${significant(found.median_snr)} times the noise`;
    element("bleaching-lit").textContent = `${count(found.lit)} still shine: more steps may come${step}`;
    this.showTraces(found.examples);
    this.draw();
  }

  showTraces(examples) {
    const figures = examples.map(({ steps, probability }) => {
      const [figure, canvas, caption] = ["figure", "canvas", "figcaption"].map((name) => document.createElement(name));
      canvas.className = "plot";
      caption.textContent = `${steps} steps, ${percent(probability)}`;
      figure.append(canvas, caption);
      return figure;
    });
    element("bleaching-traces").replaceChildren(...figures);
  }

  draw() {
    if (!this.found) return;
    drawSteps(element("bleaching-plot"), this.found);
    [...element("bleaching-traces").querySelectorAll("canvas")].forEach((canvas, i) => drawTrace(canvas, this.found.examples[i]));
  }
}

/** Bars: spots that were counted so; lines: what share of the molecules probably have so many. */
function drawSteps(canvas, { counted, population, spots }) {
  if (!canvas.clientWidth) return;
  const { context, width, height } = surface(canvas);
  const [axis, step] = [height - 1.2 * em(), width / counted.length];
  const most = Math.max(...counted.map((n) => n / spots), ...population);
  const top = (share) => axis - (share / most) * (axis - 4);
  counted.forEach((n, k) => {
    context.fillStyle = COLOURS[0];
    context.globalAlpha = 0.55;
    context.fillRect(k * step + 2, top(n / spots), step - 4, axis - top(n / spots));
    context.globalAlpha = 1;
    context.fillStyle = "#d9dfe5";
    context.fillRect(k * step + 1, top(population[k]) - 1, step - 2, 2);
    context.fillStyle = "#8b96a1";
    const text = k === counted.length - 1 ? `${k}+` : `${k}`;
    context.fillText(text, (k + 0.5) * step - context.measureText(text).width / 2, axis + em());
  });
  canvas.setAttribute("aria-label", counted.map((n, k) => `${k} steps: ${count(n)}`).join(", "));
}

function drawTrace(canvas, { frame, light_e }) {
  const points = frame.map((at, k) => [at, light_e[k]]);
  const yRange = [Math.min(0, ...light_e), Math.max(1, ...light_e)];
  drawCurves(canvas, [{ name: "", points }], { yRange, left: "frame", right: significant(frame.at(-1)), label: significant });
}
