// The panels beside the picture: one at a time behind tabs, all of them at once where the window is wide enough.

const SHOWN = "livesmlm-panel"; // remembered from visit to visit

/** Lines for the help: key, what it does. */
export const KEYS = [
  ["1 – 4", "panels: stream, molecules, sample, optics"],
  ["t", "traces: 2 minutes, 30 minutes, the whole run"],
  ["f", "full screen"],
];

const tabs = [...document.querySelectorAll("[data-tab]")];
const panels = [...document.querySelectorAll("[data-panel]")];

let shown = () => {};

export function showPanel(name) {
  for (const tab of tabs) tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
  for (const panel of panels) panel.classList.toggle("chosen", panel.dataset.panel === name);
  localStorage.setItem(SHOWN, name);
  shown();
}

/** Say on a tab that something behind it wants to be looked at: "", "amber" or "red". */
export function markTab(name, level) {
  tabs.find((tab) => tab.dataset.tab === name).dataset.level = level;
}

/** Whether a key press is meant for the page, not for a field that has the focus, nor for the browser. */
export function isForPage(event) {
  return !(event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input:not([type=range]), select, textarea"));
}

/** `changed` is called whenever another panel is shown. */
export function listenToTabs(changed) {
  shown = changed;
  for (const tab of tabs) tab.addEventListener("click", () => showPanel(tab.dataset.tab));
  document.addEventListener("keydown", (event) => {
    if (!isForPage(event)) return;
    const tab = tabs[Number(event.key) - 1];
    if (tab) showPanel(tab.dataset.tab);
    else if (event.key === "f") toggleFullScreen();
  });
  const remembered = localStorage.getItem(SHOWN);
  showPanel(panels.some((panel) => panel.dataset.panel === remembered) ? remembered : panels[0].dataset.panel);
}

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen().catch(() => {}); // a browser may refuse; the page goes on as it is
}
