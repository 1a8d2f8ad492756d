// The newest camera frame that came, in grey between the darkest and the brightest percent of its pixels.

import { count } from "./numbers.js";

const element = (id) => document.getElementById(id);

/** `pixels`: uint8 (y, x), 0 at header.low_adu and 255 at header.high_adu. */
export function showPreview(header, pixels) {
  const [height, width] = header.shape;
  const canvas = element("preview");
  [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  const grey = new Uint8Array(pixels);
  const colours = new Uint32Array(image.data.buffer);
  for (let i = 0; i < grey.length; i++) colours[i] = 0xff000000 | (grey[i] * 0x010101);
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.parentElement.classList.add("shown");
  element("preview-frame").textContent = `frame ${count(header.index)}`;
  element("preview-range").textContent = `${count(header.low_adu)} – ${count(header.high_adu)} ADU`;
  const time = header.camera_time_s;
  element("preview-time").textContent = time === null ? "camera gives no time" : `camera time ${time.toFixed(2)} s`;
}

export function clearPreview() {
  element("preview").parentElement.classList.remove("shown");
  for (const id of ["preview-frame", "preview-range", "preview-time"]) element(id).textContent = "";
}
