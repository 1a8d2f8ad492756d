// The mean molecule that the guard has looked at, what was expected of it, and the difference, by height.

import { divergingColour, drawDivergingLegend } from "./diverging.js";
import { length, plural, signed, significant } from "./numbers.js";
import { niceAbove } from "./plots.js";
import { grey, picture, words } from "./small_pictures.js";

const KINDS = ["observed", "expected", "difference"];
const [DIFFERENCE, ERROR] = [2, 3];
const NOISE = 5; // standard errors that the colours span at least, so that noise does not look like something
const element = (id) => document.getElementById(id);

export class Residual {
  constructor() {
    drawDivergingLegend(element("residual-legend"));
    this.clear();
  }

  clear() {
    element("residual-panel").hidden = true;
  }

  /** `pixels`: float32 (4, z, y, x) in units of the expected peak; no number where there are too few molecules. */
  take(header, pixels) {
    const { molecules, enough, z_nm, shape, pixel_nm } = header;
    const images = cut(shape, new Float32Array(pixels));
    const known = [...z_nm.keys()].filter((k) => molecules[k] >= enough);
    const limit = limitOf(images, known);
    const each = (draw) => [...z_nm.keys()].map((k) => (known.includes(k) ? draw(k) : words("span", "–")));
    const colours = [grey, grey, (value) => divergingColour(value, limit)];
    const rows = KINDS.map((_, kind) => each((k) => picture(images[kind][k], shape[3], colours[kind])));
    const strongest = each((k) => words("span", `${significance(images, k).toFixed(1)} σ`));
    arrange(rows, z_nm.map((z) => words("span", signed(z, 0))), strongest);
    showFigures(known.reduce((sum, k) => sum + molecules[k], 0), limit, shape[3] * pixel_nm);
  }
}

/** Heights side by side, each kind below the one before; in focus there is one height, and kinds are side by side. */
function arrange(rows, heights, strongest) {
  const alone = heights.length === 1;
  const named = (text) => Object.assign(words("b", text), { className: alone ? "" : "across" });
  const cells = alone
    ? [...KINDS.map(named), ...rows.flat(), words("span", ""), words("span", "")]
    : [named("height, nm"), ...heights, ...KINDS.flatMap((kind, i) => [named(kind), ...rows[i]])];
  element("residual").style.setProperty("--columns", alone ? KINDS.length : heights.length);
  element("residual").replaceChildren(...cells, ...strongest);
}

function showFigures(molecules, limit, width) {
  element("residual-panel").hidden = false;
  element("residual-count").textContent = plural(molecules, "molecule");
  element("residual-low").textContent = `\u2212${significant(100 * limit)} %`;
  element("residual-high").textContent = `+${significant(100 * limit)} %`;
  element("residual-width").textContent = length(width);
}

/** Pictures by kind and height. */
function cut([kinds, heights, rows, columns], values) {
  const size = rows * columns;
  const at = (kind, k) => values.subarray((kind * heights + k) * size, (kind * heights + k + 1) * size);
  return Array.from({ length: kinds }, (_, kind) => Array.from({ length: heights }, (_, k) => at(kind, k)));
}

function limitOf(images, known) {
  const largest = known.flatMap((k) => [largestOf(images[DIFFERENCE][k]), NOISE * median(images[ERROR][k])]);
  return niceAbove(Math.max(...largest));
}

function largestOf(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function median(values) {
  return values.toSorted()[values.length >> 1];
}

/** The largest difference in its standard errors. */
function significance(images, k) {
  return largestOf(images[DIFFERENCE][k].map((value, i) => value / images[ERROR][k][i]));
}
