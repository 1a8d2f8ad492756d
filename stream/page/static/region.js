// A rectangle of the field that is dragged with the tool or after the key r: how much is in it, and what it is like.

import { VALUES } from "./half.js";
import { LAYERS } from "./layers.js";
import { count, length, significant } from "./numbers.js";

const LEAST_NM = 1; // a click is no rectangle

export class Region {
  constructor(changed) {
    this.changed = changed;
    this.clear();
  }

  clear() {
    this.rectangle = null;
    this.corner = null;
  }

  begin(point) {
    this.corner = point;
    this.rectangle = null;
  }

  move(point) {
    if (!this.corner) return;
    const { corner } = this;
    this.rectangle = {
      left: Math.min(corner.x, point.x), top: Math.min(corner.y, point.y),
      right: Math.max(corner.x, point.x), bottom: Math.max(corner.y, point.y),
    };
    this.changed();
  }

  end() {
    this.corner = null;
    const { rectangle } = this;
    if (rectangle && Math.min(rectangle.right - rectangle.left, rectangle.bottom - rectangle.top) < LEAST_NM) this.rectangle = null;
    this.changed();
  }

  /** What is in the rectangle, a line each; `field`: nm, what lies beyond it does not count. */
  words(tiles, level, field) {
    const { left, top, right, bottom } = inside(this.rectangle, field);
    const [width, height] = [Math.max(0, right - left), Math.max(0, bottom - top)];
    const area = (width * height) / 1e6;
    const found = measure(tiles, level, { left, top, right, bottom });
    return [
      `${length(width)} × ${length(height)} = ${significant(area)} µm²`,
      `${count(found.mass)} localizations, ${area ? significant(found.mass / area) : "–"} /µm²`,
      ...["z", "photons"].map((name) => meanOf(found, name)).filter(Boolean),
      found.level > 0 ? `from pixels of ${length(tiles.pixelNm(found.level))}: zoom in for finer ones` : "",
    ].filter(Boolean);
  }
}

function inside({ left, top, right, bottom }, { width, height }) {
  return { left: Math.max(0, left), top: Math.max(0, top), right: Math.min(width, right), bottom: Math.min(height, bottom) };
}

function meanOf({ sums, weights }, name) {
  if (!weights[name]) return "";
  return `mean ${LAYERS[name].name} ${LAYERS[name].text(sums[name] / weights[name])} ${LAYERS[name].unit}`;
}

/** Sum over a rectangle: localizations, their means' sums, and the coarsest level that had to serve. */
function measure(tiles, level, rectangle) {
  const found = { mass: 0, level: 0, sums: {}, weights: {} };
  const { rows, columns } = tiles.range(level, rectangle);
  if (!tiles.side) return found;
  for (let row = rows[0]; row <= rows[1]; row++) {
    for (let column = columns[0]; column <= columns[1]; column++) add(tiles, level, row, column, rectangle, found);
  }
  return found;
}

/** Add what a tile has in a rectangle; where it is not here, what a coarser one has there. Empty tiles are never sent. */
function add(tiles, level, row, column, rectangle, found) {
  const side = tiles.side * tiles.pixelNm(level);
  const part = {
    left: Math.max(rectangle.left, column * side), top: Math.max(rectangle.top, row * side),
    right: Math.min(rectangle.right, (column + 1) * side), bottom: Math.min(rectangle.bottom, (row + 1) * side),
  };
  const tile = tiles.get(level, row, column);
  if (tile) addPixels(tiles, tile, part, found);
  else if (level < tiles.coarsest) add(tiles, level + 1, row >> 1, column >> 1, part, found);
}

function addPixels(tiles, tile, part, found) {
  const nm = tiles.pixelNm(tile.level);
  const shares = (from, to, first) => pixelShares(from / nm - first * tiles.side, to / nm - first * tiles.side, tiles.side);
  const [down, across] = [shares(part.top, part.bottom, tile.row), shares(part.left, part.right, tile.column)];
  const layers = ["z", "photons"].filter((name) => tiles.layerOf(tile, name));
  for (const [y, shareY] of down) {
    for (const [x, shareX] of across) {
      const mass = VALUES[tile.bits[y * tiles.side + x]] * shareX * shareY;
      if (!mass) continue;
      found.mass += mass;
      found.level = Math.max(found.level, tile.level);
      for (const name of layers) {
        found.sums[name] = (found.sums[name] ?? 0) + mass * tiles.mean(tile, name, y, x);
        found.weights[name] = (found.weights[name] ?? 0) + mass;
      }
    }
  }
}

/** Pixels along one axis that a stretch covers, each with the share of it that is covered. */
function pixelShares(from, to, side) {
  const shares = [];
  for (let pixel = Math.max(0, Math.floor(from)); pixel < Math.min(side, to); pixel++) {
    shares.push([pixel, Math.min(to, pixel + 1) - Math.max(from, pixel)]);
  }
  return shares;
}
