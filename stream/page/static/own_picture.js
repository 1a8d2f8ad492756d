// A picture that a network draws: tiles and contrast of its own, on the field of the super-resolved one.

import { percentile } from "./half.js";
import { shadingFor } from "./shading.js";
import { Tiles } from "./tiles.js";

const CALM = 1.15; // contrast follows the data only when they have changed by more than this
const FOLLOW_EVERY_MS = 500;

export class OwnPicture {
  /** `about`: { title: of its legend, unit: of a value, scale(tiles, level): what values are multiplied by, words(said), isPredicted }. */
  constructor(about) {
    this.about = about;
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
    if (!isNew && this.brightest && this.shading?.level === this.level && now < this.followedAt + FOLLOW_EVERY_MS) return false;
    this.followedAt = now;
    const seen = this.tiles.in(this.tiles.range(this.level, bounds));
    const brightest = percentile(seen.map((tile) => tile.bits), look.share);
    const change = brightest / this.brightest;
    const isCalm = brightest === this.brightest || (change < CALM && change > 1 / CALM);
    if (!isNew && this.shading?.level === this.level && isCalm) return false;
    this.brightest = brightest;
    this.shading = shadingFor((brightest || 1) / look.gain, this.level, look.gamma, look.map, null);
    return true;
  }

  /** White, in its unit. */
  white(gain) {
    return this.brightest ? (this.brightest / gain) * this.about.scale(this.tiles, this.level) : NaN;
  }

  /** What it is, in words; what it has left out is said. */
  name() {
    return this.about.words(this.said);
  }
}
