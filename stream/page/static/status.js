// The state of the run, and whether it still gives signs of life.

import { duration } from "./numbers.js";

const element = (id) => document.getElementById(id);
const SILENT_S = 4;
const SILENT_GAPS = 3; // times the longest pause between two signs of life: a slow engine is not a dead run
const OVER = ["finished", "interrupted", "fault"];
const WORDS = {
  waiting: "waiting", running: "running", draining: "catching up", finished: "finished",
  interrupted: "interrupted", fault: "fault", lost: "no connection",
};
const EMPTY = {
  waiting: "Waiting for the first frames",
  running: "Waiting for the first localizations",
};

export class Status {
  /** `changed` is told the state whenever it may be another. */
  constructor(link, changed) {
    this.link = link;
    this.changed = changed;
    this.address = "";
    this.trouble = "";
    this.hasRun = false;
    this.clear();
    setInterval(() => this.show(), 500);
  }

  clear() {
    this.state = null; // not said yet
    this.message = "";
    this.hasPicture = false;
    this.lifeAt = performance.now();
    this.longestGapS = 0;
  }

  begin() {
    this.clear();
    this.hasRun = true;
    this.show();
  }

  page({ address, trouble }) {
    [this.address, this.trouble] = [address, trouble];
    this.show();
  }

  health({ state, message, age_s }) {
    [this.state, this.message] = [state, message];
    const livedAt = performance.now() - 1000 * age_s;
    this.longestGapS = Math.max(this.longestGapS, (livedAt - this.lifeAt) / 1000);
    this.lifeAt = livedAt;
    this.show();
  }

  end({ state, message }) {
    this.state = state ?? (OVER.includes(this.state) ? this.state : "finished");
    this.message = message ?? this.message;
    this.show();
  }

  show() {
    const silent = (performance.now() - this.lifeAt) / 1000;
    const over = OVER.includes(this.state);
    const lost = !over && silent > Math.max(SILENT_S, SILENT_GAPS * this.longestGapS) && (this.state || !this.link.open);
    const state = lost ? "lost" : (this.state ?? "waiting");
    document.body.dataset.state = state;
    element("state").textContent = WORDS[state] ?? state;
    this.changed(state);
    showBanner(lost ? lostWords(silent, this) : this.closing(over));
    this.showEmpty();
  }

  closing(over) {
    if (this.state === "fault") return ["fault", "The run ended with a fault.", this.message];
    if (this.state === "interrupted") return ["interrupted", "The run was interrupted.", this.message];
    if (over && !this.link.open) return ["over", "The run is over.", "This page is no longer served; the picture is final."];
    return this.message ? ["interrupted", "Note.", this.message] : null;
  }

  showEmpty() {
    const empty = element("picture-empty");
    const waits = EMPTY[this.state ?? "waiting"] ?? "";
    const none = this.link.open ? `No run yet\n${this.trouble || this.address}` : "";
    empty.textContent = this.hasPicture ? "" : this.hasRun ? waits : none;
  }
}

function lostWords(silent, { link, state }) {
  if (!state) return ["lost", "No connection.", "The server of this page does not answer."];
  const what = link.open ? "The run has given no sign of life" : "The run and its page have not answered";
  return [
    "lost", "Connection lost.",
    `${what} for ${duration(silent)}: its process has probably ended. Picture and numbers are the last that came.`,
  ];
}

function showBanner(words) {
  const banner = element("banner");
  banner.hidden = !words;
  if (!words) return;
  const [kind, title, text] = words;
  banner.className = `banner ${kind}`;
  banner.children[0].textContent = title;
  banner.children[1].textContent = text;
}
