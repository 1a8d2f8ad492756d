// What part of the field is seen: pan by dragging, zoom with the wheel at the pointer, double click for the whole field.
// Lengths of the field in nm, of the screen in CSS pixels.

const MARGIN = 0.96; // the whole field leaves a rim
const FINEST_NM = 0.1; // nm per CSS pixel
const ZOOM_PER_STEP = 0.0015;
const LINE_PX = 16; // a wheel that counts lines

export class View {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.field = { width: 1, height: 1 };
    this.centre = { x: 0.5, y: 0.5 };
    this.nmPerPx = 1;
    this.fitted = true;
    this.listen();
  }

  setField(width, height) {
    this.field = { width, height };
    this.fit();
  }

  fit() {
    this.fitted = true;
    this.centre = { x: this.field.width / 2, y: this.field.height / 2 };
    this.nmPerPx = this.widest();
    this.changed();
  }

  widest() {
    const { clientWidth, clientHeight } = this.canvas;
    return Math.max(this.field.width / (clientWidth || 1), this.field.height / (clientHeight || 1)) / MARGIN;
  }

  resized() {
    if (this.fitted) this.fit();
    else this.changed();
  }

  toField(x, y) {
    return {
      x: this.centre.x + (x - this.canvas.clientWidth / 2) * this.nmPerPx,
      y: this.centre.y + (y - this.canvas.clientHeight / 2) * this.nmPerPx,
    };
  }

  toScreen(x, y) {
    return {
      x: (x - this.centre.x) / this.nmPerPx + this.canvas.clientWidth / 2,
      y: (y - this.centre.y) / this.nmPerPx + this.canvas.clientHeight / 2,
    };
  }

  zoomAt(x, y, factor) {
    const before = this.toField(x, y);
    this.nmPerPx = Math.min(2 * this.widest(), Math.max(FINEST_NM, this.nmPerPx * factor));
    const after = this.toField(x, y);
    this.moveBy(before.x - after.x, before.y - after.y);
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
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons & 1) this.moveBy(-event.movementX * this.nmPerPx, -event.movementY * this.nmPerPx);
    });
    canvas.addEventListener("dblclick", () => this.fit());
    new ResizeObserver(() => this.resized()).observe(canvas);
  }
}
