// Alarms: a list with what to do, a banner for the gravest, the title of the tab, marks on the panels, and, if wanted, a
// sound when one is raised.

import { duration } from "./numbers.js";
import { markTab } from "./tabs.js";

const element = (id) => document.getElementById(id);
export const SIGNS = { amber: "▲", red: "✖" };
const PANELS = {
  lost: "stream", unaccounted: "stream", suspicious: "stream", lag: "stream", camera: "stream", disk: "stream",
  molecules: "molecules", density: "molecules", photons: "molecules", background: "molecules", focus: "molecules",
  optics: "optics",
};
const TONE_HZ = { amber: 440, red: 880 };
const TONE_S = 0.35;

export class Alarms {
  constructor() {
    this.raised = [];
    this.known = new Set();
    this.sound = null;
    element("alarm-sound").addEventListener("change", ({ target }) => {
      this.sound = target.checked ? new AudioContext() : null; // browsers allow sound only after a click
      this.beep("amber");
    });
    this.show();
  }

  clear() {
    this.take({ alarms: [] });
  }

  take({ alarms }) {
    this.raised = alarms ?? [];
    const fresh = this.raised.filter(({ name, level }) => !this.known.has(name + level));
    this.known = new Set(this.raised.map(({ name, level }) => name + level));
    if (fresh.length) this.beep(fresh.some(({ level }) => level === "red") ? "red" : "amber");
    this.show();
  }

  /** The gravest one; null where all is well. */
  get gravest() {
    return this.raised[0] ?? null;
  }

  show() {
    element("alarms").replaceChildren(...(this.raised.length ? this.raised.map(item) : [allIsWell()]));
    const banner = element("alarm-banner");
    const { gravest } = this;
    banner.hidden = gravest?.level !== "red";
    if (!banner.hidden) {
      banner.children[0].textContent = `✖ ${sentence(gravest.what)}`;
      banner.children[1].textContent = `What to do: ${gravest.remedy}.`;
    }
    for (const panel of new Set(Object.values(PANELS))) {
      const levels = this.raised.filter(({ name }) => PANELS[name] === panel).map(({ level }) => level);
      markTab(panel, levels.includes("red") ? "red" : (levels[0] ?? ""));
    }
  }

  beep(level) {
    if (!this.sound) return;
    const [tone, volume] = [this.sound.createOscillator(), this.sound.createGain()];
    tone.frequency.value = TONE_HZ[level];
    volume.gain.setValueAtTime(0.2, this.sound.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, this.sound.currentTime + TONE_S);
    tone.connect(volume).connect(this.sound.destination);
    tone.start();
    tone.stop(this.sound.currentTime + TONE_S);
  }
}

export function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function item({ level, what, remedy, since_s }) {
  const line = document.createElement("li");
  line.className = level;
  const add = (tag, text) => (line.appendChild(document.createElement(tag)).textContent = text);
  add("b", `${SIGNS[level]} ${sentence(what)}`);
  add("span", `${sentence(remedy)}`);
  add("small", `since ${duration(since_s)} into the run`);
  return line;
}

function allIsWell() {
  const line = document.createElement("li");
  line.className = "none";
  line.textContent = "✓ none";
  return line;
}
