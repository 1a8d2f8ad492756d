// The super-resolved image: the tiles of the level that suits the zoom, over coarser ones where they are still to come.

import { drawBar, tableFor } from "./colours.js";
import { percentile, VALUES } from "./half.js";
import { length, significant } from "./numbers.js";
import { drawScaleBar } from "./scale_bar.js";
import { colour, Tiles } from "./tiles.js";
import { View } from "./view.js";

const BRIGHT_SHARE = 0.995; // of the pixels above zero stay below white
const CALM = 1.15; // contrast follows the data only when they have changed by more than this
const CONTRAST_EVERY_MS = 500;
const FIELD_LINE = "#39424e";

const element = (id) => document.getElementById(id);

export class Picture {
  constructor(link) {
    this.link = link;
    this.canvas = element("picture");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.tiles = new Tiles();
    this.view = new View(this.canvas, () => this.redraw());
    this.brightest = 0;
    this.contrastLevel = -1;
    this.contrastAt = 0;
    this.hasField = false;
    this.listen();
  }

  listen() {
    const [contrast, gamma] = [element("contrast"), element("gamma")];
    for (const slider of [contrast, gamma]) slider.addEventListener("input", () => this.recolour());
    element("fit").addEventListener("click", () => this.view.fit());
    element("reset").addEventListener("click", () => {
      [contrast.value, gamma.value] = [contrast.defaultValue, gamma.defaultValue];
      this.recolour();
    });
    this.canvas.addEventListener("pointermove", (event) => {
      this.pointer = { x: event.offsetX, y: event.offsetY };
      this.showPointer();
    });
    this.canvas.addEventListener("pointerleave", () => {
      this.pointer = null;
      this.showPointer();
    });
    this.recolour();
  }

  start({ stream, pixel_size_nm }) {
    this.tiles.clear();
    this.brightest = 0;
    this.hasField = true;
    this.view.setField(stream.width_px * pixel_size_nm, stream.height_px * pixel_size_nm);
  }

  take(header, payload) {
    this.tiles.take(header, payload);
    this.redraw();
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  recolour() {
    const gamma = Number(element("gamma").value);
    const white = (this.brightest || 1) / 2 ** Number(element("contrast").value);
    this.colours = tableFor(white, gamma);
    drawBar(element("colour-bar"), gamma);
    const density = this.brightest ? white * this.perSquareMicrometre(this.contrastLevel) : NaN;
    element("colour-max").textContent = this.brightest ? `${significant(density)} /µm²` : "";
    this.redraw();
  }

  perSquareMicrometre(level) {
    return (1000 / this.tiles.pixelNm(level)) ** 2;
  }

  /** Let white follow the brightest pixels in view, in steps that do not flicker. */
  followContrast(seen, level) {
    const now = performance.now();
    const soon = this.contrastAt + CONTRAST_EVERY_MS - now;
    if (level === this.contrastLevel && this.brightest && soon > 0) return;
    const target = percentile(seen.map((tile) => tile.bits), BRIGHT_SHARE);
    const change = target / this.brightest;
    if (!target || (level === this.contrastLevel && change < CALM && change > 1 / CALM)) return;
    [this.brightest, this.contrastLevel, this.contrastAt] = [target, level, now];
    this.recolour();
  }

  draw() {
    const { canvas, context, view } = this;
    const density = window.devicePixelRatio;
    canvas.width = Math.round(canvas.clientWidth * density);
    canvas.height = Math.round(canvas.clientHeight * density);
    context.fillStyle = "#07090b";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!this.hasField) return;
    this.drawField(density);
    const level = this.tiles.levelFor(view.nmPerPx / density);
    const corners = [view.toField(0, 0), view.toField(canvas.clientWidth, canvas.clientHeight)];
    const bounds = { left: corners[0].x, top: corners[0].y, right: corners[1].x, bottom: corners[1].y };
    const range = this.tiles.range(level, bounds);
    this.wish(range);
    this.drawTiles(level, bounds, density);
    this.followContrast(this.tiles.in(range), level);
    this.level = level;
    drawScaleBar(view.nmPerPx);
    this.showPointer();
  }

  /** Ask for the tiles in view, and for those that had to be dropped here. */
  wish(range) {
    if (!this.tiles.side) return;
    const sent = this.link.want({ ...range, forgotten: this.tiles.forgotten });
    if (sent) this.tiles.forgotten = [];
  }

  drawField(density) {
    const { context, view } = this;
    const [from, to] = [view.toScreen(0, 0), view.toScreen(view.field.width, view.field.height)];
    const box = [from.x * density, from.y * density, (to.x - from.x) * density, (to.y - from.y) * density].map(Math.round);
    context.fillStyle = "#000";
    context.fillRect(...box);
    this.fieldBox = box;
  }

  drawTiles(level, bounds, density) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(...this.fieldBox);
    context.clip();
    for (let k = this.tiles.coarsest; k >= level; k--) {
      context.imageSmoothingEnabled = this.tiles.pixelNm(k) / this.view.nmPerPx < 2;
      for (const tile of this.tiles.in(this.tiles.range(k, bounds))) this.drawTile(tile, density);
    }
    context.restore();
    context.strokeStyle = FIELD_LINE;
    context.strokeRect(this.fieldBox[0] - 0.5, this.fieldBox[1] - 0.5, this.fieldBox[2] + 1, this.fieldBox[3] + 1);
  }

  drawTile(tile, density) {
    colour(tile, this.colours);
    this.tiles.touch(tile);
    const side = this.tiles.side * this.tiles.pixelNm(tile.level);
    const from = this.view.toScreen(tile.column * side, tile.row * side);
    const to = this.view.toScreen((tile.column + 1) * side, (tile.row + 1) * side);
    // Edges on whole pixels: neighbours share them, and no seam shows.
    const [left, top, right, bottom] = [from.x, from.y, to.x, to.y].map((edge) => Math.round(edge * density));
    this.context.drawImage(tile.canvas, left, top, right - left, bottom - top);
  }

  showPointer() {
    const readout = element("pointer");
    const at = this.pointer && this.view.toField(this.pointer.x, this.pointer.y);
    const inside = at && at.x >= 0 && at.y >= 0 && at.x < this.view.field.width && at.y < this.view.field.height;
    readout.hidden = !(inside && this.hasField);
    if (readout.hidden) return;
    const found = this.tiles.at(this.level ?? 0, at.x, at.y);
    const density = found ? VALUES[found.bits] * this.perSquareMicrometre(found.level) : 0;
    readout.textContent = `x ${length(at.x)}  y ${length(at.y)}  ${significant(density)} localizations/µm²`;
  }
}
