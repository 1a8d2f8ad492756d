// How a tile gets its colours: brightness is the density; the colour is a map of the density, or the mean of a layer.

import { CHANNELS, DIMMED, MAPS, rgba, shadesFor } from "./colours.js";
import { quartered } from "./half.js";

const GREY = Uint32Array.from({ length: 256 }, (_, i) => rgba(0.75 * i, 0.75 * i, 0.75 * i)); // the layer is not here yet
const BLACK = rgba(0, 0, 0);
const UNTOLD = 0.75 * 255; // grey of what is of no channel
const LIFT = 0.7; // of gamma: colours of a layer are never white, so that they have less brightness to give

/** `white`: localizations per pixel of a level; `layer`: { name, low, high }, { name: "channel", channels } or null. */
export function shadingFor(white, level, gamma, map, layer) {
  if (!layer) return { level, layer, table: tableOver(shadesFor(white, gamma), MAPS[map]) };
  const shades = shadesFor(white, LIFT * gamma);
  return { level, layer, shades, table: tableOver(shades, GREY) };
}

function tableOver(shades, map) {
  const table = new Uint32Array(shades.length);
  for (let i = 0; i < table.length; i++) table[i] = map[shades[i]];
  return table;
}

/** Colour a tile. `values`: what is here of the layer, or undefined; of channels, those that are here, each with its `channel`. */
export function shade(tile, values, shading) {
  const { width, height } = tile.canvas;
  const coarser = tile.level - shading.level; // four times as much in a pixel for each level, at the same density
  const bits = coarser && shading.level >= 0 ? quartered(tile.bits, coarser) : tile.bits;
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  if (Array.isArray(values)) shadeByChannel(bits, values, shading, pixels, width);
  else if (values) shadeByLayer(bits, values, shading, pixels, width);
  else for (let i = 0; i < pixels.length; i++) pixels[i] = shading.table[bits[i]];
  tile.canvas.getContext("2d").putImageData(image, 0, 0);
  tile.shading = shading;
  tile.isPainted = true;
}

function shadeByLayer(bits, { values, low, high }, { layer, shades }, pixels, width) {
  const span = layer.high - layer.low || 1;
  const [scale, first] = [((high - low) / 65535 / span) * 255, ((low - layer.low) / span) * 255 + 0.5];
  let i = 0;
  for (let row = 0; row < pixels.length; row += 2 * width) {
    for (let at = row; at < row + width; at += 2, i++) {
      const colour = Math.min(255, Math.max(0, values[i] * scale + first)) | 0;
      pixels[at] = DIMMED[(shades[bits[at]] << 8) | colour];
      pixels[at + 1] = DIMMED[(shades[bits[at + 1]] << 8) | colour];
      pixels[at + width] = DIMMED[(shades[bits[at + width]] << 8) | colour];
      pixels[at + width + 1] = DIMMED[(shades[bits[at + width + 1]] << 8) | colour];
    }
  }
}

/** Mix the colours of channels by their shares; brightness is the density. */
function shadeByChannel(bits, shares, { shades }, pixels, width) {
  let i = 0;
  for (let row = 0; row < pixels.length; row += 2 * width) {
    for (let at = row; at < row + width; at += 2, i++) {
      const [red, green, blue] = mixed(shares, i);
      for (const pixel of [at, at + 1, at + width, at + width + 1]) {
        const part = shades[bits[pixel]] / 255;
        pixels[pixel] = part ? rgba(part * red, part * green, part * blue) : BLACK;
      }
    }
  }
}

const mix = [0, 0, 0];

/** The colour of pixel i of the shares; the same array each time. */
function mixed(shares, i) {
  let rest = 1;
  mix.fill(0);
  for (const { channel, values, low, high } of shares) {
    const share = low + (values[i] / 65535) * (high - low);
    rest -= share;
    for (let k = 0; k < 3; k++) mix[k] += share * CHANNELS[channel][k];
  }
  for (let k = 0; k < 3; k++) mix[k] = Math.min(255, mix[k] + Math.max(0, rest) * UNTOLD);
  return mix;
}
