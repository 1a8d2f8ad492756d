// Numbers as people read them: thin spaces between thousands, units beside, a dash for what is not known.

const UNKNOWN = "–";

export function count(value) {
  if (!Number.isFinite(value)) return UNKNOWN;
  return Math.round(value).toLocaleString("en").replaceAll(",", "\u202f");
}

export function plural(value, noun) {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

export function rate(value) {
  if (!Number.isFinite(value)) return UNKNOWN;
  return value >= 100 ? count(value) : value.toFixed(value >= 10 || value === 0 ? 1 : 2);
}

export function milliseconds(value) {
  if (!Number.isFinite(value)) return UNKNOWN;
  if (value >= 1000) return `${(value / 1000).toFixed(value >= 10000 ? 0 : 1)} s`;
  return `${value.toFixed(value >= 10 ? 0 : 1)} ms`;
}

export function length(nm) {
  return Math.abs(nm) >= 1000 ? `${Number((nm / 1000).toFixed(2))} µm` : `${Number(nm.toFixed(1))} nm`;
}

export function significant(value) {
  if (!Number.isFinite(value)) return UNKNOWN;
  return value >= 1000 ? count(Number(value.toPrecision(3))) : String(Number(value.toPrecision(3)));
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** A number with its sign, U+2212 for the minus. */
export function signed(value, digits = 3) {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value > 0 ? "+" : "\u2212"}${text}`;
}
