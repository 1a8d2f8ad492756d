// Colour maps as tables of RGBA in the byte order of a canvas; computed by the server, the same as for files on disk.

import { PATTERNS, VALUES } from "./half.js";

export const SHADES = 256;
export const LAYER_MAP = "dusk";

const { channels, ...published } = await (await fetch("/colour-maps.json")).json();
/** Of each channel, [red, green, blue] from 0 to 255. */
export const CHANNELS = channels;
export const MAPS = Object.fromEntries(Object.entries(published).map(([name, colours]) => [name, packed(colours)]));
export const DENSITY_MAPS = Object.keys(MAPS).filter((name) => name !== LAYER_MAP);

function packed(colours) {
  return Uint32Array.from(colours, ([red, green, blue]) => rgba(red, green, blue));
}

export function rgba(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** One shade for each bit pattern of a half float: 0 at 0, 255 at `white`. */
export function shadesFor(white, gamma) {
  const shades = new Uint8Array(65536);
  for (let bits = 0; bits < PATTERNS; bits++) {
    shades[bits] = Math.round(Math.min(1, VALUES[bits] / white) ** gamma * (SHADES - 1));
  }
  return shades;
}

/** Every brightness of every colour of the map of layers: index brightness * 256 + colour. */
export const DIMMED = new Uint32Array(SHADES * SHADES);
for (let i = 0; i < DIMMED.length; i++) {
  const part = (i >> 8) / (SHADES - 1);
  const colour = MAPS[LAYER_MAP][i & 255];
  DIMMED[i] = rgba(part * (colour & 255), part * ((colour >> 8) & 255), part * ((colour >> 16) & 255));
}
