// What part of the field is seen: pan by dragging, zoom with the wheel or two fingers, double click for the whole field.
// Lengths of the field in nm, of the screen in CSS pixels. With two panes, both show the same part, side by side.

const MARGIN = 0.96; // the whole field leaves a rim
const FINEST_NM = 0.1; // nm per CSS pixel
const ZOOM_PER_STEP = 0.0015;
const LINE_PX = 16; // a wheel that counts lines

export class View {
  /** `tool`: null, or what takes a drag instead of panning: begin(point, pane), move(point, pane), end(). */
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.field = { width: 1, height: 1 };
    this.centre = { x: 0.5, y: 0.5 };
    this.nmPerPx = 1;
    this.fitted = true;
    this.panes = 1;
    this.tool = null;
    this.pointers = new Map();
    this.listen();
  }

  setField(width, height) {
    this.field = { width, height };
    this.fit();
  }

  setPanes(panes) {
    this.panes = panes;
    this.resized();
  }

  fit() {
    this.fitted = true;
    this.centre = { x: this.field.width / 2, y: this.field.height / 2 };
    this.nmPerPx = this.widest();
    this.changed();
  }

  get width() {
    return this.canvas.clientWidth / this.panes;
  }

  widest() {
    return Math.max(this.field.width / (this.width || 1), this.field.height / (this.canvas.clientHeight || 1)) / MARGIN;
  }

  resized() {
    if (this.fitted) this.fit();
    else this.changed();
  }

  paneAt(x) {
    return Math.min(this.panes - 1, Math.max(0, Math.floor(x / this.width)));
  }

  toField(x, y, pane = this.paneAt(x)) {
    return {
      x: this.centre.x + (x - pane * this.width - this.width / 2) * this.nmPerPx,
      y: this.centre.y + (y - this.canvas.clientHeight / 2) * this.nmPerPx,
    };
  }

  /** Where a point of the field is in the first pane. */
  toScreen(x, y) {
    return {
      x: (x - this.centre.x) / this.nmPerPx + this.width / 2,
      y: (y - this.centre.y) / this.nmPerPx + this.canvas.clientHeight / 2,
    };
  }

  /** The rectangle of the field that a pane shows. */
  bounds() {
    const [from, to] = [this.toField(0, 0, 0), this.toField(this.width, this.canvas.clientHeight, 0)];
    return { left: from.x, top: from.y, right: to.x, bottom: to.y };
  }

  zoom(factor) {
    this.zoomAt(this.width / 2, this.canvas.clientHeight / 2, factor);
  }

  zoomAt(x, y, factor) {
    const pane = this.paneAt(x);
    const before = this.toField(x, y, pane);
    this.nmPerPx = Math.min(2 * this.widest(), Math.max(FINEST_NM, this.nmPerPx * factor));
    const after = this.toField(x, y, pane);
    this.moveBy(before.x - after.x, before.y - after.y);
  }

  /** Move by parts of what is seen. */
  step(x, y) {
    this.moveBy(x * this.width * this.nmPerPx, y * this.canvas.clientHeight * this.nmPerPx);
  }

  moveBy(x, y) {
    this.fitted = false;
    this.centre.x = Math.min(this.field.width, Math.max(0, this.centre.x + x));
    this.centre.y = Math.min(this.field.height, Math.max(0, this.centre.y + y));
    this.changed();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const steps = event.deltaY * (event.deltaMode ? LINE_PX : 1);
      this.zoomAt(event.offsetX, event.offsetY, Math.exp(steps * ZOOM_PER_STEP));
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.pointerDown(event));
    canvas.addEventListener("pointermove", (event) => this.pointerMove(event));
    for (const kind of ["pointerup", "pointercancel"]) canvas.addEventListener(kind, (event) => this.pointerUp(event));
    canvas.addEventListener("dblclick", () => this.fit());
    new ResizeObserver(() => this.resized()).observe(canvas);
  }

  pointerDown(event) {
    if (event.button > 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    const at = { x: event.offsetX, y: event.offsetY };
    this.pointers.set(event.pointerId, at);
    this.pane = this.paneAt(at.x);
    if (this.tool && this.pointers.size === 1) this.tool.begin(this.toField(at.x, at.y), this.pane);
  }

  pointerMove(event) {
    const from = this.pointers.get(event.pointerId);
    if (!from) return;
    const to = { x: event.offsetX, y: event.offsetY };
    const other = [...this.pointers.values()].find((at) => at !== from);
    this.pointers.set(event.pointerId, to);
    if (other) this.pinch(from, to, other);
    else if (this.tool) this.tool.move(this.toField(to.x, to.y, this.pane));
    else this.moveBy((from.x - to.x) * this.nmPerPx, (from.y - to.y) * this.nmPerPx);
  }

  pointerUp(event) {
    if (this.pointers.delete(event.pointerId) && !this.pointers.size) this.tool?.end();
  }

  /** One of two fingers has moved: what is under both stays under them. */
  pinch(from, to, other) {
    const apart = (at) => Math.hypot(at.x - other.x, at.y - other.y) || 1;
    this.moveBy(((from.x - to.x) / 2) * this.nmPerPx, ((from.y - to.y) / 2) * this.nmPerPx);
    this.zoomAt((to.x + other.x) / 2, (to.y + other.y) / 2, apart(from) / apart(to));
  }
}
