// A scale bar of a round length, about a fifth of the picture wide.

import { length } from "./numbers.js";

const LONGEST_PX = 160;

export function roundLength(longest) {
  const decade = 10 ** Math.floor(Math.log10(longest));
  const digit = [5, 2, 1].find((candidate) => candidate * decade <= longest);
  return digit * decade;
}

export function drawScaleBar(nmPerPx) {
  const nm = roundLength(LONGEST_PX * nmPerPx);
  const line = document.getElementById("scale-line");
  line.style.width = `${nm / nmPerPx}px`;
  line.parentElement.hidden = false;
  document.getElementById("scale-text").textContent = length(nm);
}
