// Where every frame is: a bar divided by the place frames are at now, a line per state, and loss in words and in red.

import { count, plural } from "./numbers.js";

const element = (id) => document.getElementById(id);
const STATES = [
  ["received", "received"], ["ringed", "through the ring"], ["spilled", "through the disk"], ["analysed", "analysed"],
  ["written", "written"], ["published", "published"],
];

const sum = (counts) => Object.values(counts ?? {}).reduce((total, n) => total + n, 0);

/** Frames that never became localizations: skipped by us, or missing from the camera. */
export function lostFrames(ledger) {
  return sum(ledger?.skipped) + sum(ledger?.missing);
}

export function showLedger(health) {
  const { ledger } = health;
  if (!ledger) return clearLedger();
  const all = ledger.received + sum(ledger.missing);
  showVerdict(ledger);
  showWhereabouts(ledger, health, all);
  const states = ledger.imaged ? [...STATES, ["imaged", "in the image layer"]] : STATES;
  const rows = states.map(([key, label]) => stateRow(key, label, ledger[key], all));
  for (const kind of ["skipped", "missing", "refused"]) {
    for (const [reason, n] of Object.entries(ledger[kind] ?? {})) rows.push(lossRow(`${kind}: ${reason}`, n));
  }
  for (const [reason, n] of Object.entries(ledger.suspicious ?? {})) rows.push(doubtRow(`▲ suspicious: ${reason}`, n));
  if (ledger.unaccounted) rows.push(lossRow("unaccounted", ledger.unaccounted));
  element("ledger").replaceChildren(...rows);
  const viewers = Object.entries(health.replaced ?? {}).filter(([, n]) => n);
  const words = viewers.map(([what, n]) => `${count(n)} ${what}`).join(", ");
  element("viewers").textContent = words && `Only for viewers, newer ones took the place of: ${words}.`;
}

export function clearLedger() {
  for (const id of ["ledger", "whereabouts", "verdict", "counter", "viewers"]) element(id).replaceChildren();
}

function showVerdict(ledger) {
  const verdict = element("verdict");
  const [skipped, missing] = [sum(ledger.skipped), sum(ledger.missing)];
  const losses = [];
  if (skipped) losses.push(`${plural(skipped, "frame")} not analysed`);
  if (missing) losses.push(`${plural(missing, "frame")} never arrived`);
  if (ledger.unaccounted) losses.push(`${plural(ledger.unaccounted, "frame")} unaccounted for`);
  const none = !ledger.received && !missing;
  verdict.className = `verdict ${losses.length ? "lost" : none ? "" : "kept"}`;
  const well = none ? "No frame yet." : "Every frame received is accounted for.";
  verdict.textContent = losses.length ? `Lost: ${losses.join(", ")}.` : well;
  const counter = element("counter");
  counter.classList.toggle("amber", !ledger.verifiable);
  counter.textContent = ledger.verifiable
    ? `The camera's own counter shows ${missing ? "the gaps above" : "no gap"}.`
    : "Unverifiable: the camera gives no frame counter, so a frame lost before it reached this computer leaves no trace.";
}

/** Frames are at one place each: as far as they have come. */
function showWhereabouts(ledger, health, all) {
  const waiting = Math.max(0, ledger.received - ledger.analysed - sum(ledger.skipped));
  const onDisk = Math.min(waiting, health.spooled_frames ?? 0);
  const parts = [
    ["published", "published", ledger.published],
    ["written", "written, not yet published", Math.max(0, ledger.written - ledger.published)],
    ["analysed", "analysed, not yet written", Math.max(0, ledger.analysed - Math.max(ledger.written, ledger.published))],
    ["waiting", "waiting in the ring", waiting - onDisk],
    ["spilled", "waiting on disk", onDisk],
    ["lost", "lost", lostFrames(ledger)],
  ];
  const segments = parts.map(([kind, label, n]) => {
    const segment = document.createElement("i");
    segment.className = kind;
    segment.style.flexGrow = all ? n / all : 0;
    segment.hidden = !n;
    segment.title = `${plural(n, "frame")} ${label}`;
    return segment;
  });
  element("whereabouts").replaceChildren(...segments);
}

function stateRow(key, label, n, all) {
  const [line, name, bar, value] = make("tr", "th", "td", "td");
  name.textContent = label;
  bar.className = "bar";
  const filled = bar.appendChild(document.createElement("i"));
  filled.className = key;
  filled.style.width = `${all ? (100 * n) / all : 0}%`;
  value.textContent = count(n);
  return line;
}

function lossRow(label, n) {
  return noteRow("loss", label, n);
}

/** Frames before which something may be missing: no loss that can be counted. */
function doubtRow(label, n) {
  return noteRow("doubt", label, n);
}

function noteRow(kind, label, n) {
  const [line, name, value] = make("tr", "th", "td");
  line.className = kind;
  name.colSpan = 2;
  name.textContent = label;
  value.textContent = count(n);
  return line;
}

/** A new element and its new children. */
function make(tag, ...tags) {
  const parent = document.createElement(tag);
  return [parent, ...tags.map((child) => parent.appendChild(document.createElement(child)))];
}
