// How the coefficients went that have changed most since the start of the run.

import { duration, signed } from "./numbers.js";
import { niceAbove } from "./plots.js";
import { nameOf, NOLL, short } from "./zernike.js";

const LINES = [["#6fb1e8", []], ["#e7b15c", [6, 3]], ["#c9d1d9", [2, 2]]]; // colour and dashes, CSS pixels
const SMALLEST_WAVES = 0.02;
const [TOP, LEFT] = [4, 3.4]; // CSS pixels; sizes of the font
const FONT = 0.85; // of the page's

/** Indices of the coefficients whose values span most. */
export function mostChanged(samples) {
  const spans = NOLL.map((_, i) => {
    const values = samples.map((sample) => sample.waves[i]);
    return Math.max(...values) - Math.min(...values);
  });
  return spans.map((_, i) => i).sort((a, b) => spans[b] - spans[a]).slice(0, LINES.length);
}

export class ModeTrace {
  constructor(canvas, legend, span) {
    Object.assign(this, { canvas, legend, span, samples: [] });
    new ResizeObserver(() => this.draw(this.samples)).observe(canvas);
  }

  /** `samples`: objects with `at` (ms, as performance.now()) and `waves` (27), oldest first. */
  draw(samples) {
    this.samples = samples;
    const context = this.cleared();
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const font = FONT * parseFloat(getComputedStyle(this.canvas).fontSize);
    const left = LEFT * font;
    const shown = samples.length ? mostChanged(samples) : [];
    const values = samples.flatMap((sample) => shown.map((i) => Math.abs(sample.waves[i])));
    const limit = niceAbove(Math.max(SMALLEST_WAVES, ...values));
    const [begin, end] = [samples[0]?.at ?? 0, samples.at(-1)?.at ?? 1];
    const x = (at) => left + ((at - begin) / Math.max(end - begin, 1)) * (width - left - 3);
    const y = (value) => TOP + ((height - 2 * TOP) / 2) * (1 - value / limit);
    axis(context, [left, width], limit, y, font);
    shown.forEach((i, k) => line(context, samples.map((sample) => [x(sample.at), y(sample.waves[i])]), ...LINES[k]));
    this.span.textContent = samples.length > 1 ? `${samples.length} estimates, ${duration((end - begin) / 1000)}` : "";
    this.legend.replaceChildren(...shown.map((i, k) => entry(`${NOLL[i]} ${short(nameOf(NOLL[i]))}`, ...LINES[k])));
  }

  cleared() {
    const density = window.devicePixelRatio;
    this.canvas.width = Math.round(this.canvas.clientWidth * density);
    this.canvas.height = Math.round(this.canvas.clientHeight * density);
    const context = this.canvas.getContext("2d");
    context.scale(density, density);
    return context;
  }
}

function axis(context, [left, right], limit, y, font) {
  context.fillStyle = "#8b96a1";
  context.strokeStyle = "#232a32";
  context.font = `${font}px system-ui, sans-serif`;
  context.textAlign = "right";
  for (const value of [limit, 0, -limit]) {
    context.fillText(value ? signed(value, 2) : "0", left - 5, Math.max(0.8 * font, y(value) + 0.35 * font));
    context.beginPath();
    context.moveTo(left, y(value));
    context.lineTo(right, y(value));
    context.stroke();
  }
}

function line(context, points, colour, dashes) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 1.4;
  context.setLineDash(dashes);
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
  context.setLineDash([]);
  context.beginPath();
  context.arc(...points.at(-1), 2, 0, 2 * Math.PI);
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
