// 16-bit floating point numbers by their bits. Patterns of positive numbers are in the order of the numbers, so a
// table over all patterns colours a tile and a histogram over them gives exact percentiles, without decoding a tile.

export const PATTERNS = 0x7c00; // positive and finite

export const VALUES = new Float32Array(PATTERNS);
for (let bits = 0; bits < PATTERNS; bits++) {
  const exponent = bits >> 10;
  const fraction = (bits & 0x3ff) / 1024;
  VALUES[bits] = exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction;
}

/** The bits of the half float nearest to a positive number. */
export function bitsOf(value) {
  const exponent = Math.max(-14, Math.floor(Math.log2(value)));
  const step = 2 ** (exponent - 10);
  return Math.min(PATTERNS - 1, ((exponent + 14) << 10) + Math.round(value / step));
}

/** The same numbers divided by 4, `times` times over: an exponent is two less each time. */
export function quartered(bits, times) {
  const less = times << 11;
  return bits.map((pattern) => (pattern ? Math.min(PATTERNS - 1, Math.max(0, pattern - less)) : 0));
}

const SKIRT = 0.02; // values below this part of the mean are the skirts of spots, and are not counted
const ENOUGH = 4e5; // values that are looked at; of more, every second, third, ... is

/** The value below which a share of all values lies that hold something; 0 if none does. `arrays`: Uint16Array each. */
export function percentile(arrays, share) {
  const counts = new Uint32Array(PATTERNS);
  // An odd step does not fall on the same columns in every row.
  const step = 2 * Math.floor(arrays.reduce((sum, bits) => sum + bits.length, 0) / ENOUGH / 2) + 1;
  for (const bits of arrays) for (let i = 0; i < bits.length; i += step) counts[bits[i]]++;
  const [total, mass] = above(counts, 0);
  const darkest = (SKIRT * mass) / total;
  let left = share * above(counts, darkest)[0];
  for (let i = 1; i < PATTERNS && total; i++) {
    if (VALUES[i] > darkest) left -= counts[i];
    if (left <= 0) return VALUES[i];
  }
  return 0;
}

/** How many values are above a limit, and their sum. */
function above(counts, limit) {
  let [total, mass] = [0, 0];
  for (let i = 1; i < PATTERNS; i++) {
    if (VALUES[i] <= limit) continue;
    total += counts[i];
    mass += counts[i] * VALUES[i];
  }
  return [total, mass];
}
