// Pictures of a few pixels in a grid of words: one molecule, at a few heights.

const GAMMA = 0.7; // so that the skirts are seen

/** A figure with a canvas of `columns` pixels a row; `colourOf` gives the colour of a value, RGBA as a canvas has it. */
export function picture(values, columns, colourOf) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [columns, values.length / columns];
  const image = new ImageData(canvas.width, canvas.height);
  new Uint32Array(image.data.buffer).set(Uint32Array.from(values, colourOf));
  canvas.getContext("2d").putImageData(image, 0, 0);
  const figure = document.createElement("figure");
  figure.append(canvas);
  return figure;
}

/** Black for nothing, white for 1. */
export function grey(share) {
  const level = Math.round(255 * Math.min(1, Math.max(0, share)) ** GAMMA);
  return (0xff000000 | (level * 0x010101)) >>> 0;
}

export function words(tag, text) {
  const node = document.createElement(tag);
  node.textContent = text;
  return node;
}
