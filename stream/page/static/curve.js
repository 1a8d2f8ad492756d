// Curves over something other than the time of day: drift over frames, correlation over spatial frequency.

import { COLOURS, em, surface } from "./plots.js";

const DASHES = [[], [5, 3], [1.5, 2.5]];
const SIGNS = ["—", "╌", "┈"];

/**
 * `lines`: [{name, points: [[x, y]]}]; `yRange`: [low, high]; `level`: {y, name} is drawn across; `left` and `right`
 * stand under the axis, `label` gives numbers at its ends.
 */
export function drawCurves(canvas, lines, { yRange, level, left, right, label }) {
  if (!canvas.clientWidth) return;
  const { context, width, height } = surface(canvas);
  const [top, bottom] = [1.3 * em(), height - 1.2 * em()];
  const xs = lines.flatMap(({ points }) => points.map(([x]) => x));
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  const x = (value) => ((value - first) / (last - first || 1)) * (width - 3);
  const y = (value) => bottom - ((value - yRange[0]) / (yRange[1] - yRange[0] || 1)) * (bottom - top);
  frame(context, { width, height, top, bottom, lines, yRange, left, right, label });
  for (const across of [level, yRange[0] < 0 && yRange[1] > 0 ? { y: 0 } : null]) if (across) drawLevel(context, across, y, width);
  context.save();
  context.beginPath();
  context.rect(0, top - 1, width, bottom - top + 2);
  context.clip();
  lines.forEach(({ points }, i) => drawCurve(context, points.map(([a, b]) => [x(a), y(b)]), i));
  context.restore();
}

function frame(context, { width, height, top, bottom, lines, yRange, left, right, label }) {
  context.strokeStyle = "#232a32";
  context.strokeRect(0.5, top, width - 1, bottom - top);
  context.fillStyle = "#8b96a1";
  context.fillText(`${label(yRange[0])} … ${label(yRange[1])}`, 0, top - 0.35 * em());
  context.fillText(left, 0, height - 0.2 * em());
  context.fillText(right, width - context.measureText(right).width, height - 0.2 * em());
  let end = width;
  for (let i = lines.length - 1; i >= 0 && lines.length > 1; i--) {
    const text = `${SIGNS[i]} ${lines[i].name}`;
    end -= context.measureText(text).width;
    context.fillStyle = COLOURS[i];
    context.fillText(text, end, top - 0.35 * em());
    end -= 0.9 * em();
  }
}

function drawLevel(context, { y: value, name }, y, width) {
  context.strokeStyle = context.fillStyle = "#8b96a1";
  context.setLineDash([2, 3]);
  context.beginPath();
  context.moveTo(0, y(value));
  context.lineTo(width, y(value));
  context.stroke();
  context.setLineDash([]);
  if (name) context.fillText(name, width - context.measureText(name).width - 3, y(value) - 0.25 * em());
}

function drawCurve(context, points, i) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.strokeStyle = COLOURS[i];
  context.lineWidth = Math.max(1.25, em() / 10);
  context.setLineDash(DASHES[i].map((dash) => (dash * em()) / 13));
  context.stroke();
  context.setLineDash([]);
}
