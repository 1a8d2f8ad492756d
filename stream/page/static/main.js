// Wiring only: which message goes to which part of the page.

import { showActions } from "./actions.js";
import { Alarms } from "./alarms.js";
import { Bleaching } from "./bleaching.js";
import { showFacts, showTotals } from "./facts.js";
import { Gauges } from "./gauges.js";
import { Guard } from "./guard.js";
import { clearLedger, showLedger } from "./ledger.js";
import { addHelp } from "./help.js";
import { Link } from "./link.js";
import { Molecules } from "./molecules.js";
import { Optics } from "./optics.js";
import { Picture } from "./picture.js";
import { PICTURE_KEYS, PictureControls } from "./picture_controls.js";
import { clearPreview, showPreview } from "./preview.js";
import { Residual } from "./residual.js";
import { Sample } from "./sample.js";
import { onSpan } from "./spans.js";
import { Status } from "./status.js";
import { KEYS, listenToTabs } from "./tabs.js";
import { Traces } from "./traces.js";
import { showVerdict } from "./verdict.js";

const traces = new Traces();
const [alarms, gauges, molecules, specimen] = [new Alarms(), new Gauges(traces), new Molecules(traces), new Sample(traces)];
const [guard, residual, optics, bleaching] = [new Guard(traces), new Residual(), new Optics(), new Bleaching()];
const panels = [gauges, molecules, specimen, guard, optics, bleaching];
let [run, ledger] = [null, null];

const link = new Link({
  page: (page) => status.page(page),
  history: (history) => {
    traces.load(history.traces);
    drawPanels();
  },
  start: begin,
  tile: (header, pixels) => {
    picture.take(header, pixels);
    status.hasPicture = true;
  },
  layer: (header, pixels) => picture.takeLayer(header, pixels),
  picture: (header, pixels) => {
    picture.takeOwn(header, pixels);
    status.hasPicture = true;
  },
  frame: (header, pixels) => {
    showPreview(header, pixels);
    picture.takeFrame(header, pixels);
  },
  found: (header, positions) => picture.takeFound(header, positions),
  sum: (header, pixels) => picture.takeSum(header, pixels),
  health: takeHealth,
  statistics: (statistics) => {
    traces.add("statistics", statistics.sample);
    molecules.take(statistics);
  },
  optics: ({ samples }) => optics.history(samples),
  phase: (phase) => optics.take(phase),
  psf: (header, pixels) => optics.psf(header, pixels),
  action: ({ actions, sample }) => {
    traces.add("action", sample);
    molecules.takePower(sample);
    showActions(actions, run?.rig?.activation);
  },
  drift: (drift) => specimen.takeDrift(drift),
  resolution: (resolution) => {
    traces.add("resolution", resolution.sample);
    specimen.takeResolution(resolution);
  },
  traces: (found) => bleaching.take(found),
  guard: (verdict) => guard.take(verdict),
  residual: (header, pixels) => residual.take(header, pixels),
  end: (end) => status.end(end),
  closed: () => status.show(),
});
const picture = new Picture(link);
const controls = new PictureControls(picture);
const status = new Status(link, (state) => showVerdict(state, alarms.raised, ledger));
listenToTabs(drawPanels);
addHelp("Picture", PICTURE_KEYS);
addHelp("Panels", KEYS);
onSpan(drawPanels);

function takeHealth(health) {
  ledger = health.ledger;
  alarms.take(health);
  status.health(health);
  traces.add("health", health.sample, health.age_s);
  gauges.take(health);
  guard.draw();
  controls.takeHealth(health);
  showLedger(health);
  showTotals(health, run?.stream?.frames);
}

/** Draw what was behind a tab or is shown over another time now. */
function drawPanels() {
  for (const panel of panels) panel.draw();
}

/** Take what is known of a run; forget the one before, but not when the connection was only renewed. */
function begin(start) {
  const renewed = run?.run_id === start.run_id;
  run = start;
  showFacts(start);
  if (renewed) return;
  picture.start(start);
  controls.start(start);
  ledger = null;
  traces.clear();
  alarms.clear();
  for (const panel of [molecules, specimen, guard, residual]) panel.clear();
  for (const panel of [molecules, specimen, guard, bleaching]) panel.clear();
  gauges.draw();
  optics.start(start);
  showActions([]);
  status.begin();
  clearPreview();
  clearLedger();
}

document.body.dataset.ready = "yes"; // keys are heard from here on
