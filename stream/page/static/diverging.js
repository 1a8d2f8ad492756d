// A diverging colour map for a dark room: black at zero, blue below, orange above, equally light at equal distance, so
// that eyes that see no red or green tell the sides apart. Even steps in OKLab (Ottosson 2020).

const STEPS = 255; // odd: the middle is zero
const DARKEST = 0.2;
const LIGHTEST = 0.84;
const CHROMA = 0.11; // at the ends; more would leave sRGB there
const HUES = { below: 245, above: 62 }; // degrees: blue, orange

/** Colours from the lowest to the highest value, RGBA in the byte order of a canvas. */
export const DIVERGING = Uint32Array.from({ length: STEPS }, (_, i) => colourAt((2 * i) / (STEPS - 1) - 1));

/** The colour of a value between -limit and limit. */
export function divergingColour(value, limit) {
  const part = Math.min(1, Math.max(-1, value / limit));
  return DIVERGING[Math.round(((part + 1) / 2) * (STEPS - 1))];
}

/** Draw all colours beside each other. */
export function drawDivergingLegend(canvas) {
  [canvas.width, canvas.height] = [STEPS, 1];
  const image = new ImageData(STEPS, 1);
  new Uint32Array(image.data.buffer).set(DIVERGING);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function colourAt(part) {
  const size = Math.abs(part);
  const hue = ((part < 0 ? HUES.below : HUES.above) * Math.PI) / 180;
  const chroma = CHROMA * Math.min(1, 1.6 * size);
  return rgba(DARKEST + (LIGHTEST - DARKEST) * size, chroma * Math.cos(hue), chroma * Math.sin(hue));
}

/** OKLab to sRGB. */
function rgba(lightness, a, b) {
  const [l, m, s] = [
    lightness + 0.3963377774 * a + 0.2158037573 * b,
    lightness - 0.1055613458 * a - 0.0638541728 * b,
    lightness - 0.0894841775 * a - 1.291485548 * b,
  ].map((value) => value ** 3);
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const [red, green, blue] = linear.map(byte);
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** IEC 61966-2-1. */
function byte(linear) {
  const inside = Math.min(1, Math.max(0, linear));
  const value = inside <= 0.0031308 ? 12.92 * inside : 1.055 * inside ** (1 / 2.4) - 0.055;
  return Math.round(255 * value);
}
