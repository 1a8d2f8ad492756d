// Zernike polynomials in Noll's order, unit root mean square on the unit disc (Noll 1976, J. Opt. Soc. Am. 66, 207), and
// what people call them. x to the right, y down, as on the camera.

export const NOLL = Array.from({ length: 27 }, (_, i) => i + 2); // Noll indices of a wavefront's coefficients, in order
const FAMILIES = ["spherical", "coma", "astigmatism", "trefoil", "quadrafoil", "pentafoil", "hexafoil"]; // by |m|
const SHORT = [
  ["second ", "2nd "], ["third ", "3rd "], ["astigmatism", "astig."], ["2nd spherical", "2nd spher."],
  ["2nd quadrafoil", "2nd quadr."],
];
const RANKS = ["", "second ", "third "];
const MODES = NOLL.map(modeOf);
const BASES = new Map(); // by side

/** Radial order n and azimuthal order m of Noll's index; m < 0 is the sine. */
export function nollToNm(j) {
  const n = Math.floor((Math.sqrt(8 * j - 7) - 1) / 2);
  const place = j - (n * (n + 1)) / 2 - 1;
  const size = n % 2 === 0 ? 2 * Math.floor((place + 1) / 2) : 2 * Math.floor(place / 2) + 1;
  return [n, j % 2 === 0 ? size : -size];
}

/** The polynomial of Noll's index j at a point of the pupil, whose edge is at radius 1. */
export function zernike(j, x, y) {
  return valueOf(MODES[j - 2], x * x + y * y, Math.atan2(y, x));
}

/** Noll 1976, equations 1 and 2: norm R_n^|m|(r) cos or sin(|m| phi). */
function valueOf({ m, size, coefficients }, r2, angle) {
  const radial = coefficients.reduce((sum, coefficient) => sum * r2 + coefficient, 0) * r2 ** (size / 2);
  return radial * (m < 0 ? Math.sin(size * angle) : Math.cos(size * angle));
}

/** What does not depend on the point; coefficients of R_n^|m|(r) / r^|m| in r squared, the highest power first. */
function modeOf(j) {
  const [n, m] = nollToNm(j);
  const size = Math.abs(m);
  const norm = Math.sqrt((n + 1) * (m === 0 ? 1 : 2));
  const coefficients = Array.from({ length: (n - size) / 2 + 1 }, (_, k) => {
    const below = factorial(k) * factorial((n + size) / 2 - k) * factorial((n - size) / 2 - k);
    return ((-1) ** k * norm * factorial(n - k)) / below;
  });
  return { m, size, coefficients };
}

function factorial(k) {
  return k < 2 ? 1 : k * factorial(k - 1);
}

/** Family and rank of a mode, like "second coma"; what is a position of the molecule is called so. */
export function family(j) {
  const [n, m] = nollToNm(j);
  const size = Math.abs(m);
  if (n === size && size === 1) return "tilt";
  if (n === 2 && m === 0) return "defocus";
  const first = [4, 3][size] ?? size; // spherical begins at n = 4, coma at 3
  return RANKS[(n - first) / 2] + FAMILIES[size];
}

/** The name of a mode with its direction, like "coma x" or "astigmatism 45°". */
export function nameOf(j) {
  const m = nollToNm(j)[1];
  if (m === 0) return family(j);
  if (Math.abs(m) === 1) return `${family(j)} ${m > 0 ? "x" : "y"}`;
  return `${family(j)} ${m > 0 ? 0 : 90 / -m}°`;
}

/** A name where there is little room. */
export function short(name) {
  return SHORT.reduce((text, [long, few]) => text.replace(long, few), name);
}

/** The wavefront in waves of coefficients Noll 2 to 28, (side, side) by rows; NaN outside the pupil. */
export function wavefront(waves, side) {
  const { inside, modes } = basis(side);
  const values = new Float32Array(side * side).fill(NaN);
  for (const place of inside) values[place] = 0;
  modes.forEach((mode, i) => {
    if (waves[i]) inside.forEach((place, k) => (values[place] += waves[i] * mode[k]));
  });
  return values;
}

/** The polynomials on the pixels inside the pupil, computed once: a page draws the same ones for hours. */
function basis(side) {
  if (!BASES.has(side)) {
    const at = (i) => (2 * i + 1) / side - 1;
    const points = Array.from({ length: side * side }, (_, place) => [at(place % side), at(Math.floor(place / side)), place]);
    const inner = points.filter(([x, y]) => x * x + y * y <= 1);
    const polar = inner.map(([x, y]) => [x * x + y * y, Math.atan2(y, x)]);
    const modes = MODES.map((mode) => Float32Array.from(polar, ([r2, angle]) => valueOf(mode, r2, angle)));
    BASES.set(side, { inside: Int32Array.from(inner, ([, , place]) => place), modes });
  }
  return BASES.get(side);
}
