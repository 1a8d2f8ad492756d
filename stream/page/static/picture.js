// The picture in the centre: tiles of the level that suits the zoom over coarser ones, what the camera saw, or both.

import { Camera } from "./camera.js";
import { percentile } from "./half.js";
import { CHANNEL, calmRange, channelLayer, rangeOf } from "./layers.js";
import { drawLegend } from "./legend.js";
import { count } from "./numbers.js";
import { MARK, ownPictures } from "./own_pictures.js";
import { Readouts } from "./readouts.js";
import { Region } from "./region.js";
import { rem, showScaleBar } from "./scale_bar.js";
import { shade, shadingFor } from "./shading.js";
import { Tiles } from "./tiles.js";
import { View } from "./view.js";

const CALM = 1.15; // contrast follows the data only when they have changed by more than this
const FOLLOW_EVERY_MS = 500;
const SHADE_MS = 9; // for the tiles of one frame; those that are left keep their old colours until the next
const FIELD_LINE = "#39424e";
const REGION_LINE = "#f4f7fa";
const MARKED = "#ffb454";

/** What each pane shows, from below. */
export const MODES = {
  sr: [["density"]], sum: [["sum"]], frame: [["frame"]], beside: [["density"], ["sum"]], overlay: [["sum", "density"]],
  image: [["image"]], "image-beside": [["density"], ["image"]],
  prediction: [["prediction"]], "prediction-beside": [["density"], ["prediction"]],
  "prediction-error": [["prediction"], ["error-of-prediction"]],
};

const element = (id) => document.getElementById(id);

export class Picture {
  constructor(link) {
    this.link = link;
    this.canvas = element("picture");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.legend = element("legend");
    this.tiles = new Tiles();
    this.camera = new Camera();
    this.own = ownPictures();
    this.view = new View(this.canvas, () => this.redraw());
    this.region = new Region(() => this.redraw());
    this.look = { mode: "sr", layer: "density", map: "ember", share: 0.995, gamma: 0.7, gain: 1, fixed: null, outside: true };
    this.run = null;
    this.forgetContrast();
    this.readouts = new Readouts(this);
    this.recolour();
  }

  start(run) {
    this.run = run;
    this.tiles.clear();
    this.camera.clear();
    for (const own of Object.values(this.own)) own.clear();
    this.region.clear();
    this.forgetContrast();
    const { stream, pixel_size_nm } = run;
    this.view.setField(stream.width_px * pixel_size_nm, stream.height_px * pixel_size_nm);
  }

  forgetContrast() {
    [this.brightest, this.contrastLevel, this.followedAt, this.range] = [0, -1, 0, null];
  }

  take(header, payload) {
    this.tiles.take(header, payload);
    this.redraw();
  }

  takeLayer(header, payload) {
    this.tiles.takeLayer(header, payload);
    this.redraw();
  }

  takeOwn(header, payload) {
    this.own[header.layer].tiles.take(header, payload);
    if (this.shows(header.layer)) this.redraw();
  }

  takeFrame(header, pixels) {
    this.camera.takeFrame(header, pixels);
    if (this.shows("frame")) this.redraw();
  }

  takeFound(header, payload) {
    this.camera.takeFound(header, payload);
    if (this.shows("frame")) this.redraw();
  }

  takeSum(header, pixels) {
    this.camera.takeSum(header, pixels);
    if (this.shows("sum")) this.redraw();
  }

  /** Change how it looks: any of the fields of `look`. */
  set(change) {
    const before = { ...this.look };
    Object.assign(this.look, change);
    if (before.layer !== this.look.layer) this.range = this.look.fixed = null;
    if (before.outside !== this.look.outside) this.tiles.hide(!this.look.outside);
    this.followedAt = 0;
    this.view.setPanes(MODES[this.look.mode].length);
    this.recolour();
  }

  shows(content) {
    return MODES[this.look.mode].some((pane) => pane.includes(content));
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  get layer() {
    if (this.look.layer === "density") return null;
    if (this.look.layer === CHANNEL) return { name: CHANNEL, channels: this.channels };
    const [low, high] = this.look.fixed ?? this.range ?? [0, 1];
    return { name: this.look.layer, low, high };
  }

  recolour() {
    const { gamma, gain, map } = this.look;
    const white = (this.brightest || 1) / gain;
    this.shading = shadingFor(white, this.contrastLevel, gamma, map, this.layer);
    this.showLegend(this.brightest ? white * this.tiles.perSquareMicrometre(this.contrastLevel) : NaN);
    for (const own of Object.values(this.own)) own.shading = null;
    this.redraw();
  }

  /** What the colours of this run are called. */
  get channels() {
    return this.run?.channels ?? [];
  }

  /** Whether the layer is not one quantity from low to high. */
  get isMixed() {
    return this.look.layer === CHANNEL;
  }

  showLegend(white) {
    this.legend.hidden = !this.shows("density") || !this.run;
    if (!this.legend.hidden) drawLegend(this.legend, { ...this.look, white, layer: this.layer, title: "localizations per µm²" });
    element("layer-missing").hidden = this.legend.hidden || !this.layer || this.isMixed || Boolean(this.range ?? this.look.fixed);
  }

  /** Let white and the layer's range follow what is in view, in steps that do not flicker. */
  follow(seen, level) {
    const now = performance.now();
    if (level === this.contrastLevel && this.brightest && now < this.followedAt + FOLLOW_EVERY_MS) return;
    this.followedAt = now;
    const range = this.layer && !this.isMixed && calmRange(this.range, rangeOf(this.tiles, this.look.layer, seen));
    const brightest = percentile(seen.map((tile) => tile.bits), this.look.share);
    const change = brightest / this.brightest;
    const isBrighter = brightest && (level !== this.contrastLevel || change > CALM || change < 1 / CALM || this.newShare());
    if (!isBrighter && range === this.range) return;
    this.range = range;
    if (isBrighter) [this.brightest, this.contrastLevel] = [brightest, level];
    this.recolour();
  }

  /** Whether another share of pixels has been chosen to be white. */
  newShare() {
    const isNew = this.followedShare !== this.look.share;
    this.followedShare = this.look.share;
    return isNew;
  }

  draw() {
    const { canvas, context, view } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((side) => Math.round(side * window.devicePixelRatio));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    context.fillStyle = "#07090b";
    context.fillRect(0, 0, width, height);
    if (!this.run) return;
    this.drawnAt = performance.now();
    this.level = this.tiles.levelFor(view.nmPerPx / window.devicePixelRatio);
    const bounds = view.bounds();
    const range = this.tiles.range(this.level, bounds);
    this.wish(range);
    MODES[this.look.mode].forEach((contents, pane) => this.drawPane(contents, pane, bounds));
    if (this.shows("density")) this.follow(this.tiles.in(range), this.level);
    for (const name of this.shownOwn()) this.followOwn(this.own[name], bounds);
    showScaleBar(view.nmPerPx);
    this.readouts.show();
  }

  /** Ask for the tiles in view, for those that had to be dropped here, and for what is shown beside the density. */
  wish(range) {
    const measured = this.region.rectangle || this.view.tool ? ["z", "photons"] : [];
    const hidden = this.look.outside ? [] : ["outside"];
    const coloured = this.isMixed ? this.channels.map((_, channel) => channelLayer(channel)) : this.layer ? [this.layer.name] : [];
    const layers = [...new Set([...coloured, ...measured, ...hidden])];
    const camera = this.shows("sum") || this.shows("frame");
    const names = this.shownOwn();
    const wished = (name) => this.own[name].wish(this.view.bounds(), this.view.nmPerPx / window.devicePixelRatio);
    const pictures = Object.fromEntries(names.map((name) => [name, wished(name)]));
    if (!this.tiles.side && !camera && !names.length) return;
    layers.push(...names);
    if (!this.link.want({ ...range, forgotten: this.tiles.forgotten, layers, camera, pictures })) return;
    this.tiles.forgotten = [];
    for (const name of names) this.own[name].tiles.forgotten = [];
  }

  /** Which pictures of their own are shown. */
  shownOwn() {
    return Object.keys(this.own).filter((name) => this.shows(name));
  }

  /** Where several are shown, the legend is that of the last. */
  followOwn(own, bounds) {
    if (own.follow(bounds, this.look, !own.shading)) this.redraw();
    if (this.shows("density")) return;
    this.legend.hidden = !this.run;
    const { map, gamma, gain } = this.look;
    drawLegend(this.legend, { map, gamma, white: own.white(gain), layer: null, outside: true, title: own.about.title });
  }

  drawPane(contents, pane, bounds) {
    const { context, view } = this;
    const width = view.width * window.devicePixelRatio;
    context.save();
    context.beginPath();
    context.rect(Math.round(pane * width), 0, Math.round(width), this.canvas.height);
    context.clip();
    context.translate(Math.round(pane * width), 0);
    const field = this.box(0, 0, view.field.width, view.field.height);
    context.fillStyle = "#000";
    context.fillRect(...field);
    context.save();
    context.beginPath();
    context.rect(...field);
    context.clip();
    for (const content of contents) {
      if (content in this.own) this.drawOwn(this.own[content], bounds);
      else this[`draw_${content}`](bounds, field, contents);
    }
    context.restore();
    if (contents.some((content) => this.own[content]?.about.isPredicted)) drawMark(context, width, this.canvas.height);
    context.lineWidth = 1;
    context.strokeStyle = FIELD_LINE;
    context.strokeRect(field[0] - 0.5, field[1] - 0.5, field[2] + 1, field[3] + 1);
    this.drawRegion();
    context.restore();
  }

  /** A rectangle of the field in device pixels of a pane: left, top, width, height, all whole, so that no seam shows. */
  box(left, top, right, bottom) {
    const [from, to] = [this.view.toScreen(left, top), this.view.toScreen(right, bottom)];
    const edges = [from.x, from.y, to.x, to.y].map((edge) => Math.round(edge * window.devicePixelRatio));
    return [edges[0], edges[1], edges[2] - edges[0], edges[3] - edges[1]];
  }

  draw_density(bounds, field, contents) {
    const { context, tiles } = this;
    if (contents.length > 1) context.globalCompositeOperation = "lighter";
    for (let k = tiles.coarsest; k >= this.level; k--) {
      if (contents.length > 1 && k !== this.level) continue; // light is added: no level may be drawn over another
      context.imageSmoothingEnabled = tiles.pixelNm(k) / this.view.nmPerPx < 2;
      for (const tile of tiles.in(tiles.range(k, bounds))) this.drawTile(tile);
    }
    context.globalCompositeOperation = "source-over";
  }

  drawOwn(own, bounds) {
    const { tiles } = own;
    if (!own.shading) own.follow(bounds, this.look, true);
    for (let k = tiles.coarsest; k >= own.level; k--) {
      this.context.imageSmoothingEnabled = tiles.pixelNm(k) / this.view.nmPerPx < 2;
      for (const tile of tiles.in(tiles.range(k, bounds))) this.drawTile(tile, tiles, own.shading);
    }
  }

  drawTile(tile, tiles = this.tiles, shading = this.shading) {
    const { layer } = shading;
    tiles.touch(tile);
    if (tile.shading !== shading) {
      if (performance.now() < this.drawnAt + SHADE_MS) shade(tile, layer && whatIsHere(tiles, tile, layer), shading);
      else this.redraw();
    }
    if (!tile.isPainted) return;
    const side = tiles.side * tiles.pixelNm(tile.level);
    const [left, top] = [tile.column * side, tile.row * side];
    this.context.drawImage(tile.canvas, ...this.box(left, top, left + side, top + side));
  }

  draw_sum(bounds, field, contents) {
    if (!this.camera.total) return;
    this.context.globalAlpha = contents.length > 1 ? 0.4 : 1;
    const { gamma, gain } = contents.length > 1 ? { gamma: 1, gain: 1 } : this.look;
    this.drawCameraPicture(this.camera.totalCanvas(gamma, gain), this.camera.total.header);
    this.context.globalAlpha = 1;
  }

  draw_frame() {
    const { frame } = this.camera;
    if (!frame) return;
    this.drawCameraPicture(frame.canvas, frame.header);
    const toScreen = (x, y) => {
      const at = this.view.toScreen(x, y);
      return { x: at.x * window.devicePixelRatio, y: at.y * window.devicePixelRatio };
    };
    this.camera.drawFound(this.context, toScreen, this.view.nmPerPx / window.devicePixelRatio);
  }

  /** Pixels that did not fill a bin are not part of it. */
  drawCameraPicture(canvas, { binned_px }) {
    const { stream, pixel_size_nm } = this.run;
    const nm = (bins, side) => bins * Math.min(binned_px, side) * pixel_size_nm;
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(canvas, ...this.box(0, 0, nm(canvas.width, stream.width_px), nm(canvas.height, stream.height_px)));
  }

  drawRegion() {
    if (!this.region.rectangle) return;
    const { left, top, right, bottom } = this.region.rectangle;
    const [x, y, width, height] = this.box(left, top, right, bottom);
    this.context.strokeStyle = REGION_LINE;
    this.context.lineWidth = window.devicePixelRatio;
    this.context.setLineDash([6 * window.devicePixelRatio, 4 * window.devicePixelRatio]);
    this.context.strokeRect(x + 0.5, y + 0.5, width, height);
    this.context.setLineDash([]);
  }

  /** What the panes show, in words. */
  names() {
    const { total } = this.camera;
    const sum = total ? `Sum of ${count(total.header.frames)} frames` : "no sum of frames yet";
    const words = { density: "Super-resolved", sum, frame: this.camera.frameName() };
    for (const [name, own] of Object.entries(this.own)) words[name] = own.name();
    return MODES[this.look.mode].map((pane) => [...pane].reverse().map((content) => words[content]).join(" over "));
  }
}

/** Say below the middle of a pane, in the picture itself and so in all that is saved of it, that it is a prediction. */
function drawMark(context, width, height) {
  const scale = rem() * window.devicePixelRatio;
  context.font = `600 ${1.15 * scale}px system-ui, "Noto Sans", sans-serif`;
  const [wide, top] = [context.measureText(MARK).width + 1.6 * scale, height - 3.4 * scale];
  context.fillStyle = "#0b0d10d0";
  context.fillRect((width - wide) / 2, top, wide, 2 * scale);
  context.strokeStyle = context.fillStyle = MARKED;
  context.lineWidth = Math.max(1, scale / 8);
  context.strokeRect((width - wide) / 2, top, wide, 2 * scale);
  [context.textAlign, context.textBaseline] = ["center", "middle"];
  context.fillText(MARK, width / 2, top + scale);
  [context.textAlign, context.textBaseline] = ["left", "alphabetic"];
}

/** What a tile has of the layer that colours it. */
function whatIsHere(tiles, tile, { name, channels }) {
  return channels ? tiles.sharesOf(tile, channels) : tiles.layerOf(tile, name);
}
