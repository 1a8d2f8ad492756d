// What was done to the microscope, newest first: when, what, why; what a dry run would have done is marked.

import { count, significant } from "./numbers.js";

const element = (id) => document.getElementById(id);
const WORDS = {
  start: "● start", change: "", maximum: "▲ maximum reached", after: "● left behind", fault: "✖ fault", stop: "■ stop",
};

/** `actions`: the newest last; `settings`: `[activation]` of the rig. */
export function showActions(actions, settings) {
  element("actions-panel").hidden = !actions.length;
  element("actions-device").textContent = settings?.device ? `${settings.device} ${settings.property}` : "";
  element("actions").replaceChildren(...actions.map(line).reverse());
}

function line(action) {
  const item = document.createElement("li");
  item.className = action.kind;
  const when = item.appendChild(words("time", new Date(action.time).toLocaleTimeString("en-GB")));
  when.dateTime = action.time;
  when.title = action.frame < 0 ? "before the first frame" : `frame ${count(action.frame)}`;
  item.append(words("b", what(action)));
  if (action.dry_run) item.append(words("em", "dry run"));
  item.append(words("span", action.why));
  return item;
}

function what({ kind, old, new: wanted, read_back }) {
  const set = wanted === null ? "" : old === null ? significant(wanted) : `${significant(old)} → ${significant(wanted)}`;
  const arrow = kind === "change" && old !== null && wanted !== null ? (wanted > old ? "▲" : "▼") : "";
  const differs = read_back !== null && significant(read_back) !== significant(wanted);
  const read = differs ? `(reads ${significant(read_back)})` : "";
  return [WORDS[kind] || arrow, set, read].filter(Boolean).join(" ");
}

function words(tag, text) {
  const node = document.createElement(tag);
  node.textContent = text;
  return node;
}
