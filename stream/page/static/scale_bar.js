// A scale bar of a round length, about a fifth of the picture wide.

import { length } from "./numbers.js";

const LONGEST_REM = 12;

export function rem() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}

export function roundLength(longest) {
  const decade = 10 ** Math.floor(Math.log10(longest));
  const digit = [5, 2, 1].find((candidate) => candidate * decade <= longest);
  return digit * decade;
}

/** How long the bar is on the screen, and what it says. */
export function scaleBar(nmPerPx) {
  const nm = roundLength(LONGEST_REM * rem() * nmPerPx);
  return { width: nm / nmPerPx, text: length(nm) };
}

export function showScaleBar(nmPerPx) {
  const { width, text } = scaleBar(nmPerPx);
  const line = document.getElementById("scale-line");
  line.style.width = `${width}px`;
  line.parentElement.hidden = false;
  document.getElementById("scale-text").textContent = text;
}
