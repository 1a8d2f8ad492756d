// One glance from across the room: is the run going well, and if not, what is wrong? A colour, a symbol and words.

import { sentence, SIGNS } from "./alarms.js";
import { lostFrames } from "./ledger.js";
import { plural } from "./numbers.js";

const element = document.getElementById("overall");
const BY_STATE = {
  waiting: ["", "…", "Waiting for the run"],
  running: ["green", "✓", "Going well"],
  draining: ["green", "✓", "Catching up"],
  finished: ["green", "✓", "Finished"],
  interrupted: ["amber", "▲", "Interrupted"],
  fault: ["red", "✖", "Ended with a fault"],
  lost: ["red", "✖", "No connection"],
};

/** `raised`: alarms, the gravest first; `ledger`: of the last health, or nothing. */
export function showVerdict(state, raised, ledger) {
  const [level, sign, words, more] = verdict(state, raised, ledger);
  element.className = `overall ${level}`;
  [element.children[0].textContent, element.children[1].textContent, element.children[2].textContent] = [sign, words, more];
  element.title = more ? `${words} ${more}` : words;
  const short = { green: words, "": words }[level] ?? `${sign} ${words}`;
  document.title = `${short} – LiveSMLM`;
}

function verdict(state, raised, ledger) {
  const [level, sign, words] = BY_STATE[state] ?? ["", "", state];
  if (level === "red" || state === "waiting" || state === "interrupted") return [level, sign, words, ""];
  const [gravest, ...others] = raised;
  if (gravest) return [gravest.level, SIGNS[gravest.level], sentence(gravest.what.split(/[:;?]/)[0]).slice(0, -1), others.length ? `and ${others.length} more` : ""];
  const lost = lostFrames(ledger);
  if (lost) return ["amber", SIGNS.amber, `${words}, but ${plural(lost, "frame")} lost`, ""];
  return [level, sign, words, ""];
}
