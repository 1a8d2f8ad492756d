// Zernike polynomials in Noll's order, unit root mean square on the unit disc (Noll 1976, J. Opt. Soc. Am. 66, 207), and
// what people call them. x to the right, y down, as on the camera.

export const NOLL = Array.from({ length: 27 }, (_, i) => i + 2); // Noll indices of a wavefront's coefficients, in order
const FAMILIES = ["spherical", "coma", "astigmatism", "trefoil", "quadrafoil", "pentafoil", "hexafoil"]; // by |m|
const SHORT = [
  ["second ", "2nd "], ["third ", "3rd "], ["astigmatism", "astig."], ["2nd spherical", "2nd spher."],
  ["2nd quadrafoil", "2nd quadr."],
];
const RANKS = ["", "second ", "third "];

/** Radial order n and azimuthal order m of Noll's index; m < 0 is the sine. */
export function nollToNm(j) {
  const n = Math.floor((Math.sqrt(8 * j - 7) - 1) / 2);
  const place = j - (n * (n + 1)) / 2 - 1;
  const size = n % 2 === 0 ? 2 * Math.floor((place + 1) / 2) : 2 * Math.floor(place / 2) + 1;
  return [n, j % 2 === 0 ? size : -size];
}

/** The polynomial of Noll's index j at a point of the pupil, whose edge is at radius 1. */
export function zernike(j, x, y) {
  const [n, m] = nollToNm(j);
  const size = Math.abs(m);
  const angle = size * Math.atan2(y, x);
  const norm = Math.sqrt((n + 1) * (m === 0 ? 1 : 2));
  return norm * radial(n, size, Math.hypot(x, y)) * (m < 0 ? Math.sin(angle) : Math.cos(angle));
}

/** Noll 1976, equation 2. */
function radial(n, size, r) {
  let sum = 0;
  for (let k = 0; k <= (n - size) / 2; k++) {
    const below = factorial(k) * factorial((n + size) / 2 - k) * factorial((n - size) / 2 - k);
    sum += (((-1) ** k * factorial(n - k)) / below) * r ** (n - 2 * k);
  }
  return sum;
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
  const values = new Float32Array(side * side).fill(NaN);
  const at = (i) => (2 * i + 1) / side - 1;
  const used = NOLL.map((j, i) => [j, waves[i]]).filter(([, coefficient]) => coefficient);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [x, y] = [at(column), at(row)];
      if (x * x + y * y > 1) continue;
      values[row * side + column] = used.reduce((sum, [j, coefficient]) => sum + coefficient * zernike(j, x, y), 0);
    }
  }
  return values;
}
