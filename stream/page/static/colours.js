// The hot colour map, black to white through red and orange, as tables of RGBA in the byte order of a canvas.

import { PATTERNS, VALUES } from "./half.js";

const STOPS = [
  [0, 0, 0, 0], [0.22, 88, 12, 14], [0.45, 190, 42, 18], [0.68, 245, 132, 32], [0.86, 255, 214, 110], [1, 255, 255, 245],
];
const STEPS = 1024;
export const HOT = new Uint32Array(STEPS);
for (let i = 0; i < STEPS; i++) HOT[i] = colourAt(i / (STEPS - 1));

function colourAt(part) {
  const next = STOPS.findIndex((stop) => stop[0] >= part);
  const upper = STOPS[Math.max(next, 1)];
  const lower = STOPS[Math.max(next, 1) - 1];
  const mix = (part - lower[0]) / (upper[0] - lower[0]);
  const [red, green, blue] = [1, 2, 3].map((i) => Math.round(lower[i] + mix * (upper[i] - lower[i])));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** One colour for each bit pattern of a half float: black at 0, white at `brightest`. */
export function tableFor(brightest, gamma) {
  const table = new Uint32Array(65536).fill(HOT[0]);
  for (let bits = 0; bits < PATTERNS; bits++) {
    const part = Math.min(1, VALUES[bits] / brightest) ** gamma;
    table[bits] = HOT[Math.round(part * (STEPS - 1))];
  }
  return table;
}

/** Draw the colour map over the width of a canvas, as it is seen with this gamma. */
export function drawBar(canvas, gamma) {
  const image = new ImageData(canvas.width, 1);
  const pixels = new Uint32Array(image.data.buffer);
  for (let x = 0; x < pixels.length; x++) pixels[x] = HOT[Math.round((x / (pixels.length - 1)) ** gamma * (STEPS - 1))];
  canvas.getContext("2d").putImageData(image, 0, 0);
}
