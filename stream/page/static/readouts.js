// What the picture says in words: what its panes show, what is under the pointer, what is in the rectangle.

import { VALUES } from "./half.js";
import { LAYERS, channelLayer } from "./layers.js";
import { length, significant } from "./numbers.js";

const REGION_EVERY_MS = 250;

const element = (id) => document.getElementById(id);

export class Readouts {
  constructor(picture) {
    this.picture = picture;
    this.regionAt = 0;
    picture.canvas.addEventListener("pointermove", (event) => this.point({ x: event.offsetX, y: event.offsetY }));
    picture.canvas.addEventListener("pointerleave", () => this.point(null));
  }

  show() {
    this.showNames();
    this.showPointer();
    this.showRegion();
  }

  point(pointer) {
    this.pointer = pointer;
    this.showPointer();
  }

  showNames() {
    const names = this.picture.names();
    [element("pane-left"), element("pane-right")].forEach((node, pane) => {
      node.hidden = !names[pane] || (names.length === 1 && names[0] === "Super-resolved");
      node.textContent = names[pane] ?? "";
    });
  }

  showPointer() {
    const { view, run } = this.picture;
    const at = this.pointer && view.toField(this.pointer.x, this.pointer.y);
    const inside = at && at.x >= 0 && at.y >= 0 && at.x < view.field.width && at.y < view.field.height;
    element("pointer").hidden = !(inside && run);
    if (!inside || !run) return;
    element("pointer").textContent = [`x ${length(at.x)}  y ${length(at.y)}`, ...valuesAt(this.picture, at)].join("  ");
  }

  /** Measuring takes a while: it is done now and then, and once more when all is still. */
  showRegion() {
    const { region, tiles, level, view } = this.picture;
    element("region").hidden = !region.rectangle;
    if (!region.rectangle) return;
    if (performance.now() < this.regionAt + REGION_EVERY_MS) {
      this.later ??= setTimeout(() => {
        this.later = null;
        this.showRegion();
      }, REGION_EVERY_MS);
      return;
    }
    this.regionAt = performance.now();
    element("region").textContent = region.words(tiles, level ?? 0, view.field).join("\n");
  }
}

/** The density at a point of the field, of the layers those that are here, and of the pictures beside it. */
function valuesAt(picture, at) {
  return [...locatedAt(picture, at), ...picture.shownOwn().map((name) => drawnAt(picture.own[name], at))];
}

function drawnAt({ about, tiles, level }, { x, y }) {
  const found = tiles.at(level, x, y);
  const value = found ? VALUES[found.tile.bits[found.row * tiles.side + found.column]] * about.scale(tiles, found.tile.level) : 0;
  return `${significant(value)} ${about.unit}`;
}

function locatedAt(picture, { x, y }) {
  const { tiles, level } = picture;
  const found = tiles.at(level ?? 0, x, y);
  if (!found) return ["0 localizations/µm²"];
  const { tile, row, column } = found;
  const mass = VALUES[tile.bits[row * tiles.side + column]];
  const means = Object.entries(LAYERS).map(([name, { name: word, unit, text }]) => {
    const mean = mass ? tiles.mean(tile, name, row, column) : NaN;
    return Number.isFinite(mean) ? `${word} ${text(mean)} ${unit}` : "";
  });
  const shares = picture.channels.map((name, channel) => {
    const share = mass && picture.isMixed ? tiles.mean(tile, channelLayer(channel), row, column) : NaN;
    return Number.isFinite(share) ? `${name}: ${Math.round(100 * share)} %` : "";
  });
  return [`${significant(mass * tiles.perSquareMicrometre(tile.level))} localizations/µm²`, ...[...means, ...shares].filter(Boolean)];
}
