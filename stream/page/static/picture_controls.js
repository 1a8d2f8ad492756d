// What the picture is changed with: the tools below it, and keys.

import { DENSITY_MAPS } from "./colours.js";
import { saveView, savePicture } from "./export.js";
import { toggleHelp } from "./help.js";
import { CHANNEL, LAYERS } from "./layers.js";
import { count } from "./numbers.js";
import { isForPage } from "./tabs.js";

const ZOOM = 1.25;
const STEP = 0.1; // of what is seen
const NOTICE_MS = 8000;

/** Lines for the help: key, what it does. */
export const PICTURE_KEYS = [
  ["+ −", "closer, farther; the wheel and two fingers do it too"],
  ["← → ↑ ↓", "move; so does dragging"],
  ["0", "the whole field; so does a double click"],
  ["c", "next colour: density, z, time, photons, channel"],
  ["m", "next view: super-resolved, sum of frames, newest frame, side by side, one over the other, what networks draw"],
  ["g", "show or hide what was located while the guard said outside, once there is any"],
  ["r", "measure in a rectangle: drag it; again to leave"],
  ["e", "save the view as PNG, with scale bar and legend"],
  ["?", "these keys"],
];

const element = (id) => document.getElementById(id);

export class PictureControls {
  constructor(picture) {
    this.picture = picture;
    this.listen();
    this.show();
  }

  listen() {
    const { picture } = this;
    element("density-map").replaceChildren(...DENSITY_MAPS.map((name) => new Option(name, name)));
    for (const button of document.querySelectorAll("[data-mode]")) button.addEventListener("click", () => this.set({ mode: button.dataset.mode }));
    for (const [id, field] of [["colour-by", "layer"], ["density-map", "map"]]) {
      element(id).addEventListener("change", (event) => this.set({ [field]: event.target.value }));
    }
    element("white-share").addEventListener("change", (event) => this.set({ share: Number(event.target.value) }));
    element("gamma").addEventListener("input", (event) => picture.set({ gamma: Number(event.target.value) }));
    element("contrast").addEventListener("input", (event) => picture.set({ gain: 2 ** Number(event.target.value) }));
    for (const id of ["range-low", "range-high"]) element(id).addEventListener("change", () => this.fixRange());
    element("reset").addEventListener("click", () => this.reset());
    element("fit").addEventListener("click", () => picture.view.fit());
    element("measure").addEventListener("click", () => this.toggleMeasure());
    element("save-view").addEventListener("click", () => this.saveView());
    element("save-picture").addEventListener("click", () => this.savePicture());
    element("show-help").addEventListener("click", toggleHelp);
    element("show-outside").addEventListener("change", ({ target }) => this.set({ outside: target.checked }));
    // A select or box that kept the focus would take the next key for itself.
    for (const tool of document.querySelectorAll(".tools select, #show-outside")) tool.addEventListener("change", () => tool.blur());
    document.addEventListener("keydown", (event) => this.key(event));
  }

  /** Offer the colours that this run has. */
  start({ rig, card, channels }) {
    for (const option of element("colour-by").options) {
      const { column } = LAYERS[option.value] ?? {};
      const isDrawn = rig?.render?.colours?.includes(option.value) ?? true;
      const isKnown = column === "frame" || (card?.columns?.includes(column) ?? true);
      option.disabled = option.value === CHANNEL ? !channels?.length : Boolean(column) && !(isDrawn && isKnown);
    }
    if (element("colour-by").selectedOptions[0].disabled) this.set({ layer: "density" });
    element("outside-of").hidden = true;
    this.set({ outside: true });
    for (const name of ["image", "prediction"]) this.offer(name, Boolean(rig?.[name]?.model));
  }

  /** Offer a picture that a network draws to a run that has one. */
  offer(name, isThere) {
    for (const button of document.querySelectorAll(`[data-mode^=${name}]`)) button.hidden = !isThere;
    if (!isThere && this.picture.shows(name)) this.set({ mode: "sr" });
  }

  /** Offer to hide what was located outside, once there is any. */
  takeHealth({ outside, image, prediction }) {
    const { own } = this.picture;
    own.image.said = image;
    own.prediction.said = own["error-of-prediction"].said = prediction;
    element("outside-of").hidden = !outside;
    element("outside-count").textContent = count(outside);
  }

  set(change) {
    this.picture.set(change);
    this.show();
  }

  /** Let the tools say what is chosen. */
  show() {
    const { look } = this.picture;
    for (const button of document.querySelectorAll("[data-mode]")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === look.mode));
    }
    element("colour-by").value = look.layer;
    element("show-outside").checked = look.outside;
    element("density-map-of").hidden = look.layer !== "density";
    element("range").hidden = !(look.layer in LAYERS);
    element("range-unit").textContent = LAYERS[look.layer]?.unit ?? "";
    if (!look.fixed) element("range-low").value = element("range-high").value = "";
    element("measure").setAttribute("aria-pressed", String(Boolean(this.picture.view.tool)));
    this.picture.canvas.classList.toggle("measuring", Boolean(this.picture.view.tool));
  }

  fixRange() {
    const texts = [element("range-low").value, element("range-high").value];
    const [low, high] = texts.map(Number);
    if (texts.every((text) => text !== "") && high > low) this.picture.set({ fixed: [low, high] });
    else if (texts.every((text) => text === "")) this.picture.set({ fixed: null });
  }

  reset() {
    for (const id of ["contrast", "gamma"]) element(id).value = element(id).defaultValue;
    element("white-share").value = "0.995";
    this.set({ gain: 1, gamma: 0.7, share: 0.995, fixed: null });
  }

  toggleMeasure() {
    const { view, region } = this.picture;
    view.tool = view.tool ? null : region;
    if (!view.tool) region.clear();
    this.show();
    this.picture.redraw();
  }

  fileName(what) {
    return `livesmlm-${this.picture.run?.run_id ?? "no-run"}-${what}`.replace(/[^\w.-]+/g, "_");
  }

  saveView() {
    const { picture } = this;
    const { mode, layer } = picture.look;
    const legend = picture.legend.hidden ? null : picture.legend;
    const { canvas, view } = picture;
    saveView({ canvas, legend, names: picture.names(), nmPerPx: view.nmPerPx, fileName: this.fileName(`${mode}-${layer}.png`) });
    notice("The view is saved as PNG.");
  }

  async savePicture() {
    notice("The picture is put together …");
    const problem = await savePicture(this.fileName("render.ome.tif"));
    notice(problem || "The picture is saved as OME-TIFF.");
  }

  key(event) {
    if (!isForPage(event)) return;
    const act = this.keys()[event.key];
    const moves = event.key.startsWith("Arrow");
    if (!act || (moves && event.target.matches("input"))) return;
    event.preventDefault();
    act();
  }

  keys() {
    const { view, look } = this.picture;
    const colours = [...element("colour-by").options].filter((option) => !option.disabled).map((option) => option.value);
    const modes = [...document.querySelectorAll("[data-mode]")].filter((button) => !button.hidden).map((button) => button.dataset.mode);
    return {
      "+": () => view.zoom(1 / ZOOM), "=": () => view.zoom(1 / ZOOM), "-": () => view.zoom(ZOOM),
      ArrowLeft: () => view.step(-STEP, 0), ArrowRight: () => view.step(STEP, 0),
      ArrowUp: () => view.step(0, -STEP), ArrowDown: () => view.step(0, STEP),
      0: () => view.fit(),
      c: () => this.set({ layer: after(look.layer, colours) }),
      m: () => this.set({ mode: after(look.mode, modes) }),
      g: () => element("outside-of").hidden || this.set({ outside: !look.outside }),
      r: () => this.toggleMeasure(),
      e: () => this.saveView(),
      "?": toggleHelp,
    };
  }
}

function after(value, values) {
  return values[(values.indexOf(value) + 1) % values.length];
}

let fading = 0;

/** Say for a while how it went. */
function notice(text) {
  const node = element("picture-notice");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => (node.hidden = true), NOTICE_MS);
}
