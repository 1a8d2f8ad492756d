// The phase in the pupil, drawn from the coefficients, and the ends of its legend in waves.

import { divergingColour } from "./diverging.js";
import { signed } from "./numbers.js";
import { wavefront } from "./zernike.js";

const SIDE = 128;
const FLAT_WAVES = 0.05; // the colours never span less, so that noise does not look like an aberration
const element = (id) => document.getElementById(id);

/** Draw the wavefront of coefficients Noll 2 to 28, in waves. */
export function drawPupil(waves) {
  const values = wavefront(waves, SIDE);
  const limit = values.reduce((most, value) => (Math.abs(value) > most ? Math.abs(value) : most), FLAT_WAVES);
  const canvas = element("pupil");
  [canvas.width, canvas.height] = [SIDE, SIDE];
  const image = new ImageData(SIDE, SIDE);
  const pixels = new Uint32Array(image.data.buffer);
  values.forEach((value, i) => {
    if (!Number.isNaN(value)) pixels[i] = divergingColour(value, limit);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
  element("pupil-low").textContent = signed(-limit, 2);
  element("pupil-high").textContent = signed(limit, 2);
}
