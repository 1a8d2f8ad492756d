// What the camera saw: the sum of all frames, and the newest frame of which it is known where molecules were found.

import { rgba } from "./colours.js";

const WAITING = 24; // frames that may wait for what was found in them
const RING_NM = 130; // radius of the ring around a molecule
const RING_PX = 5; // never smaller on the screen
const RING = "#62e6c4";

export class Camera {
  constructor() {
    this.clear();
  }

  clear() {
    this.frames = new Map();
    this.frame = null;
    this.total = null;
  }

  /** `pixels`: uint8 (y, x). */
  takeFrame(header, pixels) {
    const frame = { header, canvas: greyCanvas(header.shape, new Uint8Array(pixels), (value) => value), found: null };
    this.frames.set(header.index, frame);
    if (this.frames.size > WAITING) this.frames.delete(this.frames.keys().next().value);
    if (!this.frame?.found) this.frame = frame;
  }

  /** `payload`: float32 (n, 2), x and y in nm. Frames before this one wait no longer. */
  takeFound({ index }, payload) {
    const frame = this.frames.get(index);
    if (!frame) return;
    frame.found = new Float32Array(payload);
    this.frame = frame;
    for (const older of this.frames.keys()) if (older < index) this.frames.delete(older);
  }

  /** `pixels`: uint16 (y, x), of the sum per frame. */
  takeSum(header, pixels) {
    this.total = { header, grey: new Uint16Array(pixels), canvas: null };
  }

  /** Colour the sum; `gamma` and `gain` as they are for the density. */
  totalCanvas(gamma, gain) {
    const { total } = this;
    if (!total.canvas || total.gamma !== gamma || total.gain !== gain) {
      const table = Uint8Array.from({ length: 65536 }, (_, i) => Math.round(255 * Math.min(1, (i / 65535) * gain) ** gamma));
      total.canvas = greyCanvas(total.header.shape, total.grey, (value) => table[value]);
      [total.gamma, total.gain] = [gamma, gain];
    }
    return total.canvas;
  }

  frameName() {
    if (!this.frame) return "no frame yet";
    const found = this.frame.found ? `${this.frame.found.length / 2} localizations` : "localizations to come";
    return `Frame ${this.frame.header.index} with ${found}`;
  }

  /** Draw a ring around each molecule; `toScreen`: from nm to device pixels. */
  drawFound(context, toScreen, nmPerPixel) {
    const found = this.frame?.found ?? [];
    const radius = Math.max(RING_PX * window.devicePixelRatio, RING_NM / nmPerPixel);
    context.strokeStyle = RING;
    context.lineWidth = 1.5 * window.devicePixelRatio;
    context.beginPath();
    for (let i = 0; i < found.length; i += 2) {
      const { x, y } = toScreen(found[i], found[i + 1]);
      context.moveTo(x + radius, y);
      context.arc(x, y, radius, 0, 2 * Math.PI);
    }
    context.stroke();
  }
}

function greyCanvas([height, width], values, greyOf) {
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < pixels.length; i++) {
    const grey = greyOf(values[i]);
    pixels[i] = rgba(grey, grey, grey);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
