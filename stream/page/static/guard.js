// Whether the data are what the model was trained on: the verdict in words, what was found, and what held when.

import { plural } from "./numbers.js";
import { em, surface, timeRange } from "./plots.js";
import { span } from "./spans.js";

const element = (id) => document.getElementById(id);
/** By severity: the word, its sign, its class, its colour. */
export const VERDICTS = [
  { word: "inside", sign: "✓", level: "green", colour: "#58c4a0" },
  { word: "drifting", sign: "▲", level: "amber", colour: "#e7b15c" },
  { word: "outside", sign: "✖", level: "red", colour: "#ff5f56" },
];
const GRID = "#232a32";

export class Guard {
  constructor(traces) {
    this.traces = traces;
    new ResizeObserver(() => this.draw()).observe(element("guard-history"));
    this.clear();
  }

  clear() {
    element("guard-panel").hidden = true;
  }

  take({ verdict, cause, remedy, molecules, findings }) {
    const { word, sign, level } = VERDICTS.find((known) => known.word === verdict) ?? { word: verdict, sign: "?", level: "amber" };
    element("guard-panel").hidden = false;
    element("guard-verdict").textContent = `${sign} ${word}`;
    element("guard-verdict").className = `verdict large ${level}`;
    element("guard-cause").textContent = cause ?? "";
    element("guard-remedy").textContent = remedy ? `What to do: ${remedy}.` : "";
    element("guard-molecules").textContent = Number.isFinite(molecules) ? plural(molecules, "molecule") : "";
    element("guard-findings").replaceChildren(...(findings ?? []).slice(1).map(item)); // the first one is the cause
    this.draw();
  }

  /** What held when, in rows from inside below to outside above, so that colours are not needed. */
  draw() {
    const canvas = element("guard-history");
    if (!canvas.clientWidth) return;
    const { context, width, height } = surface(canvas);
    const { from, to } = timeRange(this.traces);
    const left = 4.4 * em();
    const row = height / VERDICTS.length;
    const x = (at) => left + Math.max(0, (at - from) / (to - from || 1)) * (width - left);
    VERDICTS.forEach(({ word, sign, colour }, severity) => {
      const top = (VERDICTS.length - 1 - severity) * row;
      context.fillStyle = colour;
      context.fillText(`${sign} ${word}`, 0, top + 0.7 * row);
      context.fillStyle = GRID;
      context.fillRect(left, top + row - 1, width - left, 1);
    });
    for (const { begin, end, severity } of periods(this.traces, to)) {
      context.fillStyle = VERDICTS[severity].colour;
      context.fillRect(x(begin), (VERDICTS.length - 1 - severity) * row + 0.15 * row, Math.max(2, x(end) - x(begin)), 0.7 * row);
    }
  }
}

function item({ word, cause }) {
  const line = document.createElement("li");
  const { sign, level } = VERDICTS.find((known) => known.word === word);
  line.className = level;
  line.textContent = `${sign} ${cause}`;
  return line;
}

/** What held from when to when, in seconds; the worst of what a bucket of the traces holds. */
export function periods(traces, to) {
  const found = [];
  for (const { at, high } of traces.points("health", span, "guard")) {
    const last = found.at(-1);
    if (last) last.end = at;
    if (last?.severity !== high) found.push({ begin: at, end: at, severity: high });
  }
  if (found.length) found.at(-1).end = to;
  return found;
}
