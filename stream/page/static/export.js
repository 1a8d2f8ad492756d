// The view as a PNG with scale bar and legend burnt in; the whole picture as it is now as OME-TIFF from the server.

import { rem, scaleBar } from "./scale_bar.js";
import { keptToken } from "./unlock.js";

/** Save what the picture shows. `names`: what each pane is; `legend`: its canvas, or null. */
export async function saveView({ canvas, legend, names, nmPerPx, fileName }) {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d");
  context.drawImage(canvas, 0, 0);
  const scale = rem() * window.devicePixelRatio;
  context.font = `${1.05 * scale}px system-ui, "Noto Sans", sans-serif`;
  names.forEach((name, pane) => label(context, name, (pane * canvas.width) / names.length + scale, 1.9 * scale, scale));
  if (legend) context.drawImage(legend, canvas.width - legend.width - scale, scale);
  drawScaleBar(context, nmPerPx, scale, canvas.height);
  save(await copy.convertToBlob({ type: "image/png" }), fileName);
}

function label(context, text, x, y, scale) {
  context.fillStyle = "#0b0d10d0";
  context.fillRect(x - 0.5 * scale, y - 1.2 * scale, context.measureText(text).width + scale, 1.8 * scale);
  context.fillStyle = "#fff";
  context.fillText(text, x, y);
}

function drawScaleBar(context, nmPerPx, scale, height) {
  const { width, text } = scaleBar(nmPerPx);
  label(context, text, 1.5 * scale, height - 2.1 * scale, scale);
  context.fillRect(1.5 * scale, height - 1.4 * scale, width * window.devicePixelRatio, 0.35 * scale);
}

/** Save the whole picture; returns why not, in words, or "". */
export async function savePicture(fileName) {
  const token = keptToken();
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const answer = await fetch("/render.ome.tif", { headers }).catch(() => null);
  if (!answer) return "The page's server does not answer; render.ome.tif is in the folder of the run.";
  if (!answer.ok) return answer.text();
  save(await answer.blob(), fileName);
  return "";
}

function save(blob, fileName) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = fileName;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
