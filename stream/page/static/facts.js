// The head of the page and the facts of the run: what is measured with what, and what to beware of.

import { lostFrames } from "./ledger.js";
import { count, length, plural } from "./numbers.js";

const element = (id) => document.getElementById(id);
const POLICIES = {
  lossless: "lossless: what comes too fast waits on disk",
  live: "live: what comes too fast is skipped and counted",
};

export function showFacts(start) {
  const { stream, rig, card, pixel_size_nm } = start;
  const side = (pixels) => Number(((pixels * pixel_size_nm) / 1000).toFixed(2));
  element("source").textContent = stream.description;
  element("source").title = start.run_id;
  const facts = {
    Field: `${side(stream.width_px)} × ${side(stream.height_px)} µm`,
    Frame: `${stream.width_px} × ${stream.height_px} pixels`,
    Pixel: length(pixel_size_nm),
    Model: card?.name,
    Engine: start.engine,
    Overload: POLICIES[rig?.policy?.overload],
    Run: start.run_id,
  };
  const shown = Object.entries(facts).filter(([, value]) => value);
  element("facts").replaceChildren(...shown.flatMap(([name, value]) => [item("dt", name), item("dd", value)]));
  const warnings = start.warnings ?? [];
  element("warnings-panel").hidden = !warnings.length;
  element("warnings").replaceChildren(...warnings.map((warning) => item("li", warning)));
}

export function showTotals(health, planned) {
  element("frames").textContent = count(health.ledger?.received);
  element("frames-unit").textContent = planned ? `of ${count(planned)} frames` : "frames";
  element("localizations").textContent = count(health.localizations);
  const leftOut = health.left_out ? `, ${count(health.left_out)} left out` : "";
  element("localizations-unit").textContent = `localizations${leftOut}`;
  const lost = lostFrames(health.ledger);
  element("loss").hidden = !lost;
  element("loss").textContent = `${plural(lost, "frame")} lost`;
}

function item(tag, text) {
  const node = document.createElement(tag);
  node.textContent = text;
  return node;
}
