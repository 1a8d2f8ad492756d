// Wiring only: which message goes to which part of the page.

import { showActions } from "./actions.js";
import { showFacts, showTotals } from "./facts.js";
import { Gauges } from "./gauges.js";
import { clearLedger, showLedger } from "./ledger.js";
import { Link } from "./link.js";
import { Optics } from "./optics.js";
import { Picture } from "./picture.js";
import { clearPreview, showPreview } from "./preview.js";
import { Status } from "./status.js";
import { listenToTabs } from "./tabs.js";

listenToTabs();
const gauges = new Gauges();
const optics = new Optics();
let run = null;

const link = new Link({
  page: (page) => status.page(page),
  history: ({ samples }) => gauges.history(samples),
  start: begin,
  tile: (header, pixels) => {
    picture.take(header, pixels);
    status.hasPicture = true;
  },
  frame: showPreview,
  health: (health) => {
    status.health(health);
    gauges.take(health);
    showLedger(health);
    showTotals(health, run?.stream?.frames);
  },
  optics: ({ samples }) => optics.history(samples),
  phase: (phase) => optics.take(phase),
  psf: (header, pixels) => optics.psf(header, pixels),
  action: ({ actions }) => showActions(actions, run?.rig?.activation),
  end: (end) => status.end(end),
  closed: () => status.show(),
});
const picture = new Picture(link);
const status = new Status(link);

/** Take what is known of a run; forget the one before, but not when the connection was only renewed. */
function begin(start) {
  const renewed = run?.run_id === start.run_id;
  run = start;
  showFacts(start);
  if (renewed) return;
  picture.start(start);
  gauges.clear();
  optics.start(start);
  showActions([]);
  status.begin();
  clearPreview();
  clearLedger();
}
