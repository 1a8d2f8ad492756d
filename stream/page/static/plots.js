// A plot over time: one to three lines, each with its own colour, dashes and name, over the band that is healthy.

import { LENGTHS, span } from "./spans.js";
import { seconds } from "./traces.js";
import { duration } from "./numbers.js";

export const COLOURS = ["#6fb1e8", "#e7b15c", "#b6a0ec"];
const DASHES = [[], [5, 3], [1.5, 2.5]]; // lines are told apart without their colour
const SIGNS = ["—", "╌", "┈"];
const BAND = "#58c4a0";
const QUIET = "#8b96a1";
const GRID = "#232a32";

/** CSS pixels of the root font: plots grow with it, as the text does. */
export const em = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

/** A context over the whole canvas in CSS pixels, cleared. */
export function surface(canvas) {
  const density = window.devicePixelRatio;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  [canvas.width, canvas.height] = [Math.round(width * density), Math.round(height * density)];
  const context = canvas.getContext("2d");
  context.scale(density, density);
  context.font = `${0.8 * em()}px system-ui, sans-serif`;
  return { context, width, height };
}

export class Plot {
  /**
   * `lines`: [{field, name}], fields of a topic of the traces; `label`: from a number to text; `zero`: the axis begins
   * at zero, else where the values do; `held`: a value holds until the next one comes.
   */
  constructor(id, topic, lines, label, { zero = true, held = false } = {}) {
    this.canvas = document.getElementById(id);
    Object.assign(this, { topic, lines, label, zero, held });
    this.band = null; // {low, high, name}: where values are healthy; a missing end is open
    new ResizeObserver(() => this.traces && this.draw(this.traces)).observe(this.canvas);
  }

  draw(traces) {
    this.traces = traces;
    if (!this.canvas.clientWidth) return; // behind a tab
    const all = this.lines.map(({ field }) => traces.points(this.topic, span, field));
    this.frame = { ...surface(this.canvas), top: 1.25 * em(), ...timeRange(traces), ...this.valueRange(all) };
    this.drawBand();
    this.drawAxes(all.flatMap((points, i) => (points.length ? [i] : [])));
    all.forEach((points, i) => this.drawLine(points, i));
  }

  valueRange(all) {
    const values = all.flat().flatMap(({ low, high }) => [low, high]);
    const greatest = Math.max(...values, -Infinity);
    if (this.zero) return { bottomValue: 0, topValue: niceAbove(Math.max(greatest, this.nearBand(greatest))) };
    const least = Math.min(...values, Infinity);
    const room = Math.max(0.12 * (greatest - least), 0.02 * Math.abs(greatest), 1e-9);
    return values.length ? { bottomValue: least - room, topValue: greatest + room } : { bottomValue: 0, topValue: 1 };
  }

  /** The upper end of the band, if values come near it: a far one is not worth a flat line. */
  nearBand(greatest) {
    const end = this.band?.high;
    return end && greatest > 0.5 * end ? end * 1.08 : 0;
  }

  x(at) {
    const { from, to, width } = this.frame;
    return ((at - from) / (to - from || 1)) * (width - 3);
  }

  y(value) {
    const { bottomValue, topValue, height, top } = this.frame;
    return height - 1.5 - ((value - bottomValue) / (topValue - bottomValue)) * (height - top - 3);
  }

  drawBand() {
    if (!this.band) return;
    const { context, width, height, top } = this.frame;
    const clip = (y) => Math.min(height - 0.5, Math.max(top, y));
    const upper = clip(Number.isFinite(this.band.high) ? this.y(this.band.high) : top);
    const lower = clip(Number.isFinite(this.band.low) ? this.y(this.band.low) : height);
    context.fillStyle = BAND;
    context.globalAlpha = 0.11;
    context.fillRect(0, upper, width, lower - upper);
    context.globalAlpha = 0.55;
    context.strokeStyle = BAND;
    context.setLineDash([2, 3]);
    context.beginPath();
    for (const y of [upper, lower]) {
      if (y > top && y < height - 1) context.moveTo(0, y), context.lineTo(width, y);
    }
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /** `shown`: the lines that have values. */
  drawAxes(shown) {
    const { context, width, height, top, topValue, bottomValue, from, to } = this.frame;
    context.strokeStyle = GRID;
    context.beginPath();
    for (const y of [top + 0.5, height - 0.5]) context.moveTo(0, y), context.lineTo(width, y);
    context.stroke();
    context.fillStyle = QUIET;
    const line = top - 0.3 * em();
    if (!shown.length) return context.fillText("nothing yet", 0, line);
    const range = this.zero ? this.label(topValue) : `${this.label(bottomValue)} … ${this.label(topValue)}`;
    context.fillText(range, 0, line);
    const free = context.measureText(range).width + 0.5 * em();
    let right = width;
    const put = (text, colour) => {
      const left = right - context.measureText(text).width;
      if (left < free) return; // a narrow column: what is said last is left out
      context.fillStyle = colour;
      context.fillText(text, left, line);
      right = left - 0.9 * em();
    };
    if (this.lines.length > 1) shown.reverse().forEach((i) => put(`${SIGNS[i]} ${this.lines[i].name}`, COLOURS[i]));
    put(span === "whole" ? `whole run, ${duration(to - from)}` : `last ${duration(LENGTHS[span])}`, QUIET);
  }

  drawLine(points, i) {
    if (!points.length) return;
    const { context, height } = this.frame;
    const held = this.held ? withSteps(points, this.frame.to) : points;
    const places = held.map(({ at, mean, low, high }) => [this.x(at), this.y(mean), this.y(low), this.y(high)]);
    context.fillStyle = COLOURS[i];
    envelope(context, places);
    if (i === 0 && this.zero && !this.band) floor(context, places, height);
    context.beginPath();
    for (const [x, y] of places) context.lineTo(x, y);
    context.strokeStyle = COLOURS[i];
    context.lineWidth = Math.max(1.25, em() / 10);
    context.lineJoin = "round";
    context.setLineDash(DASHES[i].map((dash) => (dash * em()) / 13));
    context.stroke();
    context.setLineDash([]);
    const [x, y] = places.at(-1);
    context.beginPath();
    context.arc(x, y, Math.max(1.75, em() / 7), 0, 2 * Math.PI);
    context.fill();
  }
}

/** From lowest to highest of each bucket: what a thinned line does not show. */
function envelope(context, places) {
  context.globalAlpha = 0.22;
  context.beginPath();
  for (const [x, , low] of places) context.lineTo(x, low);
  for (const [x, , , high] of [...places].reverse()) context.lineTo(x, high);
  context.fill();
  context.globalAlpha = 1;
}

function floor(context, places, height) {
  context.globalAlpha = 0.1;
  context.beginPath();
  for (const [x, y] of places) context.lineTo(x, y);
  context.lineTo(places.at(-1)[0], height);
  context.lineTo(places[0][0], height);
  context.fill();
  context.globalAlpha = 1;
}

/** Each point again where the next one begins, and at the right edge. */
function withSteps(points, to) {
  return points.flatMap((point, i) => [point, { ...point, at: points[i + 1]?.at ?? to }]);
}

/** The newest value of all is at the right edge; the whole run begins at the left one. */
export function timeRange(traces) {
  const to = Number.isFinite(traces.newest) ? traces.newest : seconds();
  return { from: span === "whole" ? Math.min(traces.first, to - 10) : to - LENGTHS[span], to };
}

export function niceAbove(value) {
  if (!(value > 0)) return 1;
  const decade = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 5, 7.5, 10].find((digit) => digit * decade >= value * 0.999) * decade;
}
