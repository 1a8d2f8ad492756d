// The legend in the corner of the picture: which colour is how much, with its unit; also burnt into exported pictures.

import { CHANNELS, DIMMED, MAPS, SHADES } from "./colours.js";
import { LAYERS } from "./layers.js";
import { significant } from "./numbers.js";
import { rem } from "./scale_bar.js";

const [WIDTH, BAR, FIELD, LINE, PAD] = [15, 0.9, 2.6, 1.3, 0.6]; // rem
const GREY = [191, 191, 191]; // of no channel

/** Draw what `shown` says into a canvas: { white: per µm², gamma, map, layer: { name, low, high }, { name, channels } or null, title: what is shown without a layer }. */
export function drawLegend(canvas, shown) {
  const scale = rem() * window.devicePixelRatio;
  const [width, bar] = [WIDTH * scale, (shown.layer ? FIELD : BAR) * scale];
  canvas.width = Math.round(width);
  if (shown.layer?.channels) return drawChannels(canvas, shown, scale);
  const titles = [...titlesOf(shown), ...(shown.outside ? [] : ["without what was located outside"])];
  canvas.height = Math.round(bar + ((titles.length + 1) * LINE + 2 * PAD) * scale);
  const context = canvas.getContext("2d");
  context.fillStyle = "#0b0d10d0";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.font = `${0.95 * scale}px system-ui, "Noto Sans", sans-serif`;
  context.textBaseline = "middle";
  const box = { left: PAD * scale, top: (PAD + titles.length * LINE) * scale, width: width - 2 * PAD * scale, height: bar };
  context.fillStyle = "#d9dfe5";
  titles.forEach((title, i) => context.fillText(title, box.left, (PAD + (i + 0.4) * LINE) * scale, box.width));
  context.imageSmoothingEnabled = false;
  const colours = shown.layer ? field() : strip(shown);
  context.drawImage(colours, box.left, box.top, box.width, box.height);
  ticks(context, box, scale, shown.layer ? layerTicks(shown.layer) : densityTicks(shown));
}

/** A line for each channel: its colour, and what it is called. */
function drawChannels(canvas, { layer, white, outside }, scale) {
  const lines = [...layer.channels, "colour not told"];
  const titles = [`brightness: 0 to ${significant(white)} per µm²`, ...(outside ? [] : ["without what was located outside"])];
  canvas.width = Math.round(WIDTH * scale);
  canvas.height = Math.round(((lines.length + titles.length) * LINE + 2 * PAD) * scale);
  const context = canvas.getContext("2d");
  context.fillStyle = "#0b0d10d0";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.font = `${0.95 * scale}px system-ui, "Noto Sans", sans-serif`;
  context.textBaseline = "middle";
  [...titles, ...lines].forEach((text, i) => {
    const [y, channel] = [(PAD + (i + 0.5) * LINE) * scale, i - titles.length];
    if (channel >= 0) {
      context.fillStyle = `rgb(${(CHANNELS[channel < layer.channels.length ? channel : -1] ?? GREY).join()})`;
      context.fillRect(PAD * scale, y - 0.4 * scale, 1.6 * scale, 0.8 * scale);
    }
    context.fillStyle = "#d9dfe5";
    context.fillText(text, (PAD + (channel >= 0 ? 2.2 : 0)) * scale, y);
  });
}

function titlesOf({ layer, white, title }) {
  if (!layer) return [title];
  const { name, unit } = LAYERS[layer.name];
  return [`${name}, ${unit}`, `brightness: 0 to ${significant(white)} per µm²`];
}

function layerTicks({ name, low, high }) {
  return [low, (low + high) / 2, high].map((value, i) => [i / 2, LAYERS[name].text(value)]);
}

function densityTicks({ white }) {
  return [0, 0.5, 1].map((part) => [part, Number.isFinite(white) ? significant(part * white) : ""]);
}

function ticks(context, box, scale, marks) {
  const y = box.top + box.height;
  marks.forEach(([part, text], i) => {
    const x = box.left + part * box.width;
    context.fillRect(Math.min(x, box.left + box.width - 1), y, Math.max(1, scale / 12), 0.25 * scale);
    context.textAlign = ["left", "center", "right"][i];
    context.fillText(text, x, y + 0.75 * LINE * scale);
  });
  context.textAlign = "left";
}

/** The map as it is seen with this gamma, one pixel high. */
function strip({ map, gamma }) {
  return painted(SHADES, 1, (x) => MAPS[map][Math.round((x / (SHADES - 1)) ** gamma * (SHADES - 1))]);
}

/** The map of a layer to the right, brighter upwards. */
function field() {
  const rows = 64;
  return painted(SHADES, rows, (x, y) => DIMMED[(Math.round((1 - y / (rows - 1)) * (SHADES - 1)) << 8) | x]);
}

function painted(width, height, colourAt) {
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colourAt(i % width, Math.floor(i / width));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
