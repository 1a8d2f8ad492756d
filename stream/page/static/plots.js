// Small plots over the last two minutes: one or two lines on one axis from zero.

export const SHOWN_S = 120;
const COLOURS = ["#6fb1e8", "#e7b15c"];
const TOP = 14; // room for the label, CSS pixels

export class Plot {
  /** `lines`: functions from a sample to a number; `label`: from a number to text. */
  constructor(id, lines, label) {
    this.canvas = document.getElementById(id);
    this.lines = lines;
    this.label = label;
    this.samples = [];
    new ResizeObserver(() => this.draw(this.samples)).observe(this.canvas);
  }

  /** `samples`: objects with `at` (ms, as performance.now()), oldest first; the newest is drawn at the right edge. */
  draw(samples) {
    this.samples = samples;
    const { canvas } = this;
    const density = window.devicePixelRatio;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    [canvas.width, canvas.height] = [Math.round(width * density), Math.round(height * density)];
    const context = canvas.getContext("2d");
    context.scale(density, density);
    const values = samples.flatMap((sample) => this.lines.map((line) => line(sample))).filter(Number.isFinite);
    const top = niceAbove(Math.max(0, ...values));
    const place = (sample, value) => [
      width - 2 - ((samples.at(-1).at - sample.at) / 1000 / SHOWN_S) * (width - 2),
      height - 1.5 - (value / top) * (height - TOP - 2),
    ];
    axis(context, width, height, values.length ? this.label(top) : "");
    this.lines.forEach((line, i) => {
      const points = samples.filter((sample) => Number.isFinite(line(sample))).map((sample) => place(sample, line(sample)));
      trace(context, points, COLOURS[i], height, i === 0);
    });
  }
}

function axis(context, width, height, label) {
  context.strokeStyle = "#232a32";
  context.beginPath();
  for (const y of [TOP + 0.5, height - 0.5]) {
    context.moveTo(0, y);
    context.lineTo(width, y);
  }
  context.stroke();
  context.fillStyle = "#7d8893";
  context.font = "10px system-ui, sans-serif";
  context.fillText(label, 0, TOP - 4);
  context.textAlign = "right";
  context.fillText("last 2 min", width, TOP - 4);
  context.textAlign = "left";
}

function trace(context, points, colour, height, filled) {
  if (!points.length) return;
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.strokeStyle = colour;
  context.lineWidth = 1.25;
  context.lineJoin = "round";
  context.stroke();
  const last = points.at(-1);
  if (filled) {
    context.lineTo(last[0], height);
    context.lineTo(points[0][0], height);
    context.globalAlpha = 0.12;
    context.fillStyle = colour;
    context.fill();
    context.globalAlpha = 1;
  }
  context.beginPath();
  context.arc(last[0], last[1], 1.75, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}

export function niceAbove(value) {
  if (value <= 0) return 1;
  const decade = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 5, 7.5, 10].find((digit) => digit * decade >= value * 0.999) * decade;
}
