// The layers by which the picture can be coloured: what they are called, their units, and their range in view.

import { VALUES } from "./half.js";
import { count, significant } from "./numbers.js";

export const LAYERS = {
  z: { name: "z", unit: "nm", column: "z_nm", text: (value) => count(value) },
  time: { name: "time", unit: "frame", column: "frame", text: (value) => count(value) },
  photons: { name: "photons", unit: "photo-electrons", column: "photons", text: (value) => significant(value) },
};
/** Colouring by channel: each has a layer of its own, its share of the localizations. */
export const CHANNEL = "channel";

export function channelLayer(channel) {
  return `${CHANNEL}-${channel}`;
}

const DARKEST_SHARE = 0.02; // of the localizations in view lie below the range, and as many above
const BINS = 512;
const ENOUGH = 2e5; // pixels that are looked at; of more, every second, third, ... is

/** The range of a layer over tiles, weighted by their density: [low, high], or null if none of it is here. */
export function rangeOf(tiles, name, shown) {
  const pairs = shown.map((tile) => [tile, tiles.layerOf(tile, name)]).filter(([, layer]) => layer);
  const [low, high] = [Math.min(...pairs.map(([, l]) => l.low)), Math.max(...pairs.map(([, l]) => l.high))];
  if (!pairs.length || !(high > low)) return pairs.length ? [low, low + 1] : null;
  const weights = new Float64Array(BINS);
  const step = 1 + Math.floor((pairs.length * (tiles.side / 2) ** 2) / ENOUGH);
  for (const [tile, layer] of pairs) weigh(tile.bits, layer, tiles.side, low, (BINS - 1) / (high - low), step, weights);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const value = (bin) => low + (bin / (BINS - 1)) * (high - low);
  return [value(binBelow(weights, DARKEST_SHARE * total)), value(binBelow(weights, (1 - DARKEST_SHARE) * total) + 1)];
}

function weigh(bits, { values, low, high }, side, from, scale, step, weights) {
  const half = side >> 1;
  for (let i = 0; i < values.length; i += step) {
    const row = Math.floor(i / half);
    const density = bits[2 * row * side + 2 * (i - row * half)];
    if (density) weights[Math.round((low + (values[i] / 65535) * (high - low) - from) * scale)] += VALUES[density];
  }
}

function binBelow(weights, mass) {
  let sum = 0;
  return Math.max(0, weights.findIndex((weight) => (sum += weight) > mass));
}

/** Ends of a range that do not flicker: kept while the new ones differ by little. */
export function calmRange(old, next) {
  if (!old || !next) return next;
  const little = 0.06 * (old[1] - old[0]);
  return Math.abs(next[0] - old[0]) < little && Math.abs(next[1] - old[1]) < little ? old : next;
}
