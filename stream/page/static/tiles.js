// The tiles that came: half floats, localizations per pixel of their level. Level 0 is the finest; each level halves.
// A layer's tile lies where one of the density lies, with half its pixels along each side: uint16 from `low` to `high`.

import { bitsOf, VALUES } from "./half.js";
import { channelLayer } from "./layers.js";

const LEAST_SHARE = 1e-3; // less than this is what rounding leaves
const KEPT_PIXELS = 4e7; // held at most; the tiles that were not drawn for longest go first

export class Tiles {
  constructor() {
    this.hides = false; // what was located while the guard said outside
    this.clear();
  }

  clear() {
    this.byKey = new Map();
    this.layers = {}; // name: Map from key to { values, low, high }
    this.forgotten = []; // places of tiles that were dropped here: the server must send them again
    this.side = 0;
    this.finestNm = 0;
    this.coarsest = 0;
  }

  take(header, payload) {
    const { level, row, column } = header;
    this.side = header.shape[1];
    this.finestNm = header.pixel_nm / 2 ** level;
    this.coarsest = Math.max(this.coarsest, level);
    const key = `${level}/${row}/${column}`;
    const old = this.byKey.get(key);
    const canvas = old?.canvas ?? new OffscreenCanvas(header.shape[1], header.shape[0]);
    this.byKey.delete(key);
    const isPainted = old?.isPainted ?? false;
    const tile = { key, level, row, column, all: new Uint16Array(payload), canvas, isPainted };
    this.byKey.set(key, tile);
    this.choose(tile);
    if (this.byKey.size * this.side ** 2 > KEPT_PIXELS) this.forgetOldest();
  }

  takeLayer({ layer, level, row, column, low, high }, payload) {
    const key = `${level}/${row}/${column}`;
    this.layers[layer] ??= new Map();
    this.layers[layer].set(key, { values: new Uint16Array(payload), low, high });
    const tile = this.byKey.get(key);
    if (tile) this.choose(tile);
  }

  /** Hide what was located outside, or show it again. */
  hide(hides) {
    this.hides = hides;
    for (const tile of this.byKey.values()) this.choose(tile);
  }

  /** Let `bits` of a tile be what is shown and measured of all that is in it. */
  choose(tile) {
    const outside = this.hides && this.layerOf(tile, "outside");
    tile.bits = outside ? without(tile.all, outside, this.side) : tile.all;
    tile.shading = null;
  }

  forgetOldest() {
    const [key, { level, row, column }] = this.byKey.entries().next().value;
    this.byKey.delete(key);
    for (const layer of Object.values(this.layers)) layer.delete(key);
    this.forgotten.push([level, row, column]);
  }

  /** Note that a tile is drawn: it is kept longer. */
  touch(tile) {
    this.byKey.delete(tile.key);
    this.byKey.set(tile.key, tile);
  }

  get(level, row, column) {
    return this.byKey.get(`${level}/${row}/${column}`);
  }

  /** What is here of a layer where a tile lies; undefined if nothing is. */
  layerOf(tile, name) {
    return this.layers[name]?.get(tile.key);
  }

  /** The shares of channels where a tile lies, those that are here; undefined if none is. */
  sharesOf(tile, channels) {
    const shares = channels.flatMap((_, channel) => {
      const layer = this.layerOf(tile, channelLayer(channel));
      return layer ? [{ channel, ...layer }] : [];
    });
    return shares.length ? shares : undefined;
  }

  pixelNm(level) {
    return this.finestNm * 2 ** level;
  }

  perSquareMicrometre(level) {
    return (1000 / this.pixelNm(level)) ** 2;
  }

  /** The level whose pixels are nearest to those of the screen. */
  levelFor(nmPerDevicePixel) {
    if (!this.finestNm) return 0;
    const level = Math.round(Math.log2(nmPerDevicePixel / this.finestNm));
    return Math.min(this.coarsest, Math.max(0, level));
  }

  /** Rows and columns of a level that touch a rectangle of the field in nm, first and last. */
  range(level, { left, top, right, bottom }) {
    const side = this.side * this.pixelNm(level) || 1;
    const index = (nm) => Math.max(0, Math.floor(nm / side));
    return { level, rows: [index(top), index(bottom)], columns: [index(left), index(right)] };
  }

  /** The tiles of a range that are here. */
  in({ level, rows, columns }) {
    const found = [];
    for (const tile of this.byKey.values()) {
      const inside = tile.row >= rows[0] && tile.row <= rows[1] && tile.column >= columns[0] && tile.column <= columns[1];
      if (tile.level === level && inside) found.push(tile);
    }
    return found;
  }

  /** What is known at a point of the field, from the finest level that is here: a tile, and the pixel in it. */
  at(level, x, y) {
    for (let k = level; this.side && k <= this.coarsest; k++) {
      const column = Math.floor(x / this.pixelNm(k));
      const row = Math.floor(y / this.pixelNm(k));
      const tile = this.get(k, Math.floor(row / this.side), Math.floor(column / this.side));
      if (tile) return { tile, row: row % this.side, column: column % this.side };
    }
    return null;
  }

  /** The mean that a layer has at a pixel of a tile; NaN if it is not here. */
  mean(tile, name, row, column) {
    const layer = this.layerOf(tile, name);
    if (!layer) return NaN;
    const part = layer.values[(row >> 1) * (this.side >> 1) + (column >> 1)] / 65535;
    return layer.low + part * (layer.high - layer.low);
  }
}

/** A tile without the share of its localizations that a layer of half its resolution gives. */
function without(bits, { values, low, high }, side) {
  const half = side >> 1;
  return bits.map((pattern, i) => {
    if (!pattern) return 0;
    const row = Math.floor(i / side);
    const share = low + (values[(row >> 1) * half + ((i - row * side) >> 1)] / 65535) * (high - low);
    if (share <= 0) return pattern;
    return share < 1 - LEAST_SHARE ? bitsOf(VALUES[pattern] * (1 - share)) : 0;
  });
}
