// The image layer: what a network draws of the frames; tiles and contrast of its own, on the field of the picture.

import { percentile } from "./half.js";
import { count } from "./numbers.js";
import { shadingFor } from "./shading.js";
import { Tiles } from "./tiles.js";

const CALM = 1.15; // contrast follows the data only when they have changed by more than this
const FOLLOW_EVERY_MS = 500;

export class ImageLayer {
  constructor() {
    this.tiles = new Tiles();
    this.clear();
  }

  clear() {
    this.tiles.clear();
    [this.brightest, this.level, this.followedAt] = [0, 0, 0];
    [this.shading, this.said] = [null, null];
  }

  /** What of it is in view: level, rows and columns of its own tiles, and those that had to be dropped here. */
  wish(bounds, nmPerDevicePixel) {
    this.level = this.tiles.levelFor(nmPerDevicePixel);
    return { ...this.tiles.range(this.level, bounds), forgotten: this.tiles.forgotten };
  }

  /** Let white follow what is in view, in steps that do not flicker; `look` is that of the picture. Returns if it has. */
  follow(bounds, look, isNew) {
    const now = performance.now();
    if (!isNew && this.shading?.level === this.level && now < this.followedAt + FOLLOW_EVERY_MS) return false;
    this.followedAt = now;
    const seen = this.tiles.in(this.tiles.range(this.level, bounds));
    const brightest = percentile(seen.map((tile) => tile.bits), look.share);
    const change = brightest / this.brightest;
    if (!isNew && this.shading?.level === this.level && change < CALM && change > 1 / CALM) return false;
    this.brightest = brightest;
    this.shading = shadingFor((brightest || 1) / look.gain, this.level, look.gamma, look.map, null);
    return true;
  }

  /** White, in molecules per µm². */
  white(gain) {
    return this.brightest ? (this.brightest / gain) * this.tiles.perSquareMicrometre(this.level) : NaN;
  }

  /** What it is, in words; what it has left out is said. */
  name() {
    if (!this.said) return "Image layer: no frame yet";
    const { model, seen, left_out } = this.said;
    return `${model}: ${count(seen)} frames${left_out ? `, ${count(left_out)} left out` : ""}`;
  }
}
