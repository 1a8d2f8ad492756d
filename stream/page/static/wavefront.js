// The wavefront as bars, Noll 2 to 28 in waves, each with its standard deviation and a tick where it was first found.

import { signed } from "./numbers.js";
import { niceAbove } from "./plots.js";
import { family, nameOf, NOLL, short } from "./zernike.js";

const SVG = "http://www.w3.org/2000/svg";
const [STEP, LEFT, TOP, HEIGHT, NAMES] = [10, 45, 8, 88, 70]; // units of the drawing
const WIDTH = LEFT + STEP * NOLL.length + 2;
const SMALLEST_WAVES = 0.02;
const SURE = 2; // standard deviations that a bar must have to be bright
const POSITIONS = 3; // Noll 2 to 4 are where the molecule is

export class Wavefront {
  /** `readout`: told in words of the bar under the pointer; of the largest one when there is none. */
  constructor(svg, readout) {
    [this.svg, this.readout] = [svg, readout];
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${TOP + HEIGHT + NAMES}`);
    svg.addEventListener("pointermove", (event) => this.point(event.target.dataset?.index));
    svg.addEventListener("pointerleave", () => this.point());
  }

  /** `waves`, `sigma`, `first`: 27 numbers each. */
  draw(waves, sigma, first) {
    Object.assign(this, { waves, sigma, first });
    const reach = waves.map((wave, i) => Math.max(Math.abs(wave) + sigma[i], Math.abs(first[i])));
    const limit = niceAbove(Math.max(SMALLEST_WAVES, ...reach));
    const y = (value) => TOP + (HEIGHT / 2) * (1 - value / limit);
    this.svg.replaceChildren(...axis(limit, y), ...names(), ...NOLL.flatMap((_, i) => this.bar(i, y)));
    this.point();
  }

  bar(i, y) {
    const [wave, sigma, x] = [this.waves[i], this.sigma[i], LEFT + STEP * i];
    const kind = i < POSITIONS ? "position" : Math.abs(wave) > SURE * sigma ? "sure" : "unsure";
    const top = Math.min(y(wave), y(0));
    const size = Math.max(Math.abs(y(wave) - y(0)), 0.5);
    const [first, middle] = [y(this.first[i]), x + STEP / 2];
    return [
      shape("rect", { class: `bar ${kind}`, x: x + 1.5, y: top, width: STEP - 3, height: size }),
      shape("path", { class: "whisker", d: `M${middle} ${y(wave - sigma)}V${y(wave + sigma)}` }),
      shape("path", { class: "first", d: `M${x + 0.5} ${first}h${STEP - 1}` }),
      shape("rect", { class: "target", x, y: TOP, width: STEP, height: HEIGHT, "data-index": i }),
    ];
  }

  point(index) {
    if (!this.waves) return;
    const sizes = this.waves.map(Math.abs);
    const i = index ?? sizes.indexOf(Math.max(...sizes));
    const value = `${signed(this.waves[i])} ± ${this.sigma[i].toFixed(3)}`;
    this.readout.textContent = `Noll ${NOLL[i]}, ${nameOf(NOLL[i])}: ${value}`;
  }
}

function axis(limit, y) {
  const lines = [limit, 0, -limit].flatMap((value) => {
    const label = shape("text", { class: "value", x: LEFT - 4, y: y(value) + 4 });
    label.textContent = value ? signed(value) : "0";
    return [shape("path", { class: "axis", d: `M${LEFT} ${y(value)}H${WIDTH}` }), label];
  });
  return lines;
}

/** The name of each family under its bars: cosine and sine stand side by side. */
function names() {
  const groups = Map.groupBy(NOLL.keys(), (i) => (i < POSITIONS ? "position" : family(NOLL[i])));
  return [...groups].map(([name, indices]) => {
    const x = LEFT + STEP * (indices.reduce((sum, i) => sum + i, 0) / indices.length + 0.5);
    const label = shape("text", { class: "name", transform: `translate(${x + 4} ${TOP + HEIGHT + 4}) rotate(-90)` });
    label.textContent = short(name);
    return label;
  });
}

function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}
