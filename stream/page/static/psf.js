// The present PSF at a few heights, under that of the start of the run: what has become sharper or dimmer is seen.

import { length, signed } from "./numbers.js";
import { roundLength } from "./scale_bar.js";
import { grey, picture, words } from "./small_pictures.js";

const BAR_PART = 0.45; // of a picture's width
const element = (id) => document.getElementById(id);

export class Psf {
  constructor() {
    this.clear();
  }

  clear() {
    this.first = this.now = null;
    element("psf-panel").hidden = true;
  }

  /** `pixels`: float32 (z, y, x), share of the collected photons on each pixel. */
  take(header, pixels) {
    const psf = { ...header, images: new Float32Array(pixels) };
    if (psf.psf_epoch === 0) this.first = psf;
    if (psf.psf_epoch >= (this.now?.psf_epoch ?? 0)) this.now = psf;
    this.draw();
  }

  draw() {
    const { first, now } = this;
    element("psf-panel").hidden = false;
    element("psf-epoch").textContent = now.psf_epoch ? `epoch ${now.psf_epoch}` : "as at the start";
    const rows = [["start", first], ["now", now.psf_epoch ? now : null]].filter(([, psf]) => psf);
    const heights = now.z_nm.map((z) => words("span", z ? `${signed(z, 0)} nm` : "in focus"));
    const pictures = rows.flatMap(([name, psf]) => [words("b", name), ...now.z_nm.map((_, k) => this.picture(psf, k))]);
    element("psf").replaceChildren(words("b", ""), ...heights, ...pictures, ...this.peaks());
    const field = now.shape[2] * now.pixel_nm;
    const nm = roundLength(BAR_PART * field);
    const bar = element("psf").querySelector("figure").appendChild(words("i", length(nm)));
    bar.style.width = `${(100 * nm) / field}%`;
  }

  /** One height; what was at the start and what is now are shown as bright as they are. */
  picture(psf, k) {
    const brightest = Math.max(...[this.first, this.now].filter(Boolean).map((shown) => peak(shown, k)));
    return picture(slice(psf, k), psf.shape[2], (share) => grey(share / brightest));
  }

  /** How bright the brightest pixel has become. */
  peaks() {
    const { first, now } = this;
    if (!first || !now.psf_epoch) return [];
    const parts = now.z_nm.map((_, k) => Math.round((100 * peak(now, k)) / peak(first, k)));
    return [words("b", "peak"), ...parts.map((part) => words("span", `${part} %`))];
  }
}

function slice({ images, shape }, k) {
  const size = shape[1] * shape[2];
  return images.subarray(k * size, (k + 1) * size);
}

function peak(psf, k) {
  return Math.max(...slice(psf, k));
}
