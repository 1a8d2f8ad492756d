// A histogram: the last seconds filled, the whole run as a line, what the model was trained on as a band.

import { count, significant } from "./numbers.js";
import { COLOURS, em, surface } from "./plots.js";

const BAND = "#58c4a0";
const QUIET = "#8b96a1";

/** `histogram`: {low, high, logarithmic, now: [n], all: [n]}; `trained`: [low, high] or nothing. */
export function drawHistogram(canvas, histogram, trained, unit) {
  if (!canvas.clientWidth) return;
  const { context, width, height } = surface(canvas);
  const { low, high, logarithmic } = histogram;
  const scale = logarithmic ? Math.log : (value) => value;
  const x = (value) => ((scale(Math.max(value, low)) - scale(low)) / (scale(high) - scale(low))) * width;
  const axis = height - 1.2 * em();
  if (trained) drawBand(context, x(trained[0]), Math.min(width, x(trained[1])), axis);
  steps(context, histogram.now, width, axis, true);
  steps(context, histogram.all, width, axis, false);
  context.strokeStyle = "#3a444e";
  context.beginPath();
  context.moveTo(0, axis + 0.5);
  context.lineTo(width, axis + 0.5);
  context.stroke();
  ticks(context, histogram, x, axis, width, unit);
}

function drawBand(context, left, right, axis) {
  context.fillStyle = BAND;
  context.globalAlpha = 0.12;
  context.fillRect(left, 0, right - left, axis);
  context.globalAlpha = 0.6;
  context.strokeStyle = BAND;
  context.setLineDash([2, 3]);
  context.beginPath();
  for (const edge of [left, right]) context.moveTo(edge, 0), context.lineTo(edge, axis);
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

function steps(context, counts, width, axis, filled) {
  const most = Math.max(...counts);
  if (!most) return;
  const step = width / counts.length;
  const top = (n) => axis - (n / most) * (axis - 4);
  context.beginPath();
  context.moveTo(0, axis);
  counts.forEach((n, i) => (context.lineTo(i * step, top(n)), context.lineTo((i + 1) * step, top(n))));
  context.lineTo(width, axis);
  context.fillStyle = context.strokeStyle = filled ? COLOURS[0] : "#d9dfe5";
  context.globalAlpha = filled ? 0.55 : 0.8;
  if (filled) context.fill();
  else context.stroke();
  context.globalAlpha = 1;
}

function ticks(context, { low, high, logarithmic }, x, axis, width, unit) {
  const values = logarithmic
    ? Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, k) => low * 10 ** k)
    : [0, 0.25, 0.5, 0.75, 1].map((part) => low + part * (high - low));
  context.fillStyle = QUIET;
  let free = width; // right end of what is free: labels that would lie on the last one are left out
  values.reverse().forEach((value, i) => {
    const text = (Math.abs(value) >= 1e4 ? `${significant(value / 1000)}k` : significant(value)) + (i ? "" : ` ${unit}`);
    const size = context.measureText(text).width;
    const left = Math.min(width - size, Math.max(0, x(value) - size / 2));
    if (left + size > free) return;
    context.fillText(text, left, axis + em());
    free = left - 0.5 * em();
  });
}

/** Say for those who cannot see the picture how much of it is where. */
export function describeHistogram(histogram, name) {
  const total = histogram.all.reduce((sum, n) => sum + n, 0);
  return `${name}: ${count(total)} sampled localizations`;
}
