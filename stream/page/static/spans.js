// How much time the traces show: two minutes, half an hour, or the whole run.

import { isForPage } from "./tabs.js";

export const LENGTHS = { recent: 120, middle: 1800, whole: Infinity }; // seconds
const KEPT = "livesmlm-span"; // remembered from visit to visit
const buttons = [...document.querySelectorAll("[data-span]")];
const listeners = [];

export let span = LENGTHS[localStorage.getItem(KEPT)] ? localStorage.getItem(KEPT) : "recent";

/** Call `changed` whenever another span is chosen. */
export function onSpan(changed) {
  listeners.push(changed);
}

function choose(name) {
  span = name;
  localStorage.setItem(KEPT, name);
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.span === name));
  for (const changed of listeners) changed();
}

for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.span));
document.addEventListener("keydown", (event) => {
  if (event.key !== "t" || !isForPage(event)) return;
  const names = Object.keys(LENGTHS);
  choose(names[(names.indexOf(span) + 1) % names.length]);
});
choose(span);
