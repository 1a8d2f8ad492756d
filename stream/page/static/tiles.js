// The tiles that came: half floats, localizations per pixel of their level. Level 0 is the finest; each level halves.

const KEPT_PIXELS = 4e7; // held at most; the tiles that were not drawn for longest go first

export class Tiles {
  constructor() {
    this.clear();
  }

  clear() {
    this.byKey = new Map();
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
    this.byKey.set(key, { level, row, column, bits: new Uint16Array(payload), canvas, colours: null });
    if (this.byKey.size * this.side ** 2 > KEPT_PIXELS) this.forgetOldest();
  }

  forgetOldest() {
    const [key, { level, row, column }] = this.byKey.entries().next().value;
    this.byKey.delete(key);
    this.forgotten.push([level, row, column]);
  }

  /** Note that a tile is drawn: it is kept longer. */
  touch(tile) {
    const key = `${tile.level}/${tile.row}/${tile.column}`;
    this.byKey.delete(key);
    this.byKey.set(key, tile);
  }

  get(level, row, column) {
    return this.byKey.get(`${level}/${row}/${column}`);
  }

  pixelNm(level) {
    return this.finestNm * 2 ** level;
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

  /** The density at a point of the field: its bits and the level they come from, the finest that is here. */
  at(level, x, y) {
    for (let k = level; this.side && k <= this.coarsest; k++) {
      const column = Math.floor(x / this.pixelNm(k));
      const row = Math.floor(y / this.pixelNm(k));
      const tile = this.get(k, Math.floor(row / this.side), Math.floor(column / this.side));
      if (tile) return { bits: tile.bits[(row % this.side) * this.side + (column % this.side)], level: k };
    }
    return null;
  }
}

/** Colour a tile with a table over all bit patterns, unless it has these colours already. */
export function colour(tile, colours) {
  if (tile.colours === colours) return;
  const { width, height } = tile.canvas;
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[tile.bits[i]];
  tile.canvas.getContext("2d").putImageData(image, 0, 0);
  tile.colours = colours;
}
