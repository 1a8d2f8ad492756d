// How the coefficients went that have changed most since the start of the run.

import { duration, plural, signed } from "./numbers.js";
import { COLOURS, em, niceAbove, surface } from "./plots.js";
import { LENGTHS, span } from "./spans.js";
import { nameOf, NOLL, short } from "./zernike.js";

const DASHES = [[], [6, 3], [2, 2]]; // CSS pixels; lines are told apart without their colour
const SMALLEST_WAVES = 0.02;
const [TOP, LEFT] = [0.55, 3.4]; // in sizes of the root font

/** Indices of the coefficients whose values span most. */
export function mostChanged(samples) {
  const spans = NOLL.map((_, i) => {
    const values = samples.map((sample) => sample.waves[i]);
    return Math.max(...values) - Math.min(...values);
  });
  return spans.map((_, i) => i).sort((a, b) => spans[b] - spans[a]).slice(0, COLOURS.length);
}

export class ModeTrace {
  constructor(canvas, legend, remark) {
    Object.assign(this, { canvas, legend, remark, samples: [] });
    new ResizeObserver(() => this.draw(this.samples)).observe(canvas);
  }

  /** `samples`: objects with `at` (ms, as performance.now()) and `waves` (27), oldest first. */
  draw(samples) {
    this.samples = samples;
    if (!this.canvas.clientWidth || !samples.length) return; // behind a tab, or nothing yet
    const end = samples.at(-1).at;
    const within = samples.filter(({ at }) => at >= end - 1000 * LENGTHS[span]);
    const shown = mostChanged(within);
    const { context, width, height } = surface(this.canvas);
    const [begin, left, top] = [within[0].at, LEFT * em(), TOP * em()];
    const limit = niceAbove(Math.max(SMALLEST_WAVES, ...within.flatMap(({ waves }) => shown.map((i) => Math.abs(waves[i])))));
    const x = (at) => left + ((at - begin) / Math.max(end - begin, 1)) * (width - left - 3);
    const y = (value) => top + (height / 2 - top) * (1 - value / limit);
    axis(context, [left, width], limit, y);
    shown.forEach((i, k) => line(context, within.map(({ at, waves }) => [x(at), y(waves[i])]), COLOURS[k], DASHES[k]));
    this.remark.textContent = `${plural(within.length, "estimate")}, ${duration((end - begin) / 1000)}`;
    this.legend.replaceChildren(...shown.map((i, k) => entry(`${NOLL[i]} ${short(nameOf(NOLL[i]))}`, COLOURS[k], DASHES[k])));
  }
}

function axis(context, [left, right], limit, y) {
  context.fillStyle = "#8b96a1";
  context.strokeStyle = "#232a32";
  context.textAlign = "right";
  for (const value of [limit, 0, -limit]) {
    context.fillText(value ? signed(value) : "0", left - 0.4 * em(), y(value) + 0.28 * em());
    context.beginPath();
    context.moveTo(left, y(value));
    context.lineTo(right, y(value));
    context.stroke();
  }
}

function line(context, points, colour, dashes) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = Math.max(1.25, em() / 10);
  context.setLineDash(dashes);
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.arc(...points.at(-1), Math.max(1.75, em() / 7), 0, 2 * Math.PI);
  context.fill();
}

/** A piece of the line and its name. */
function entry(text, colour, dashes) {
  const node = document.createElement("span");
  const sample = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  sample.setAttribute("viewBox", "0 0 20 6");
  const stroke = sample.appendChild(document.createElementNS(sample.namespaceURI, "path"));
  for (const [key, value] of [["d", "M0 3H20"], ["stroke", colour], ["stroke-width", 2], ["stroke-dasharray", dashes]]) {
    stroke.setAttribute(key, value);
  }
  node.append(sample, text);
  return node;
}
