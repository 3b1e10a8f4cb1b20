// A waveform on a canvas, with events that can be moved, deleted and added.

import { clockTime, el } from "./dom.js";
import { describeEvent } from "./event_sources.js";
import { getPeaks } from "./server.js";

const HEIGHT = 150, FLAG_PX = 24, MARK_PX = 8, LINE_PX = 2.5, NUDGE_SECONDS = 0.01, FULL_SCALE = 32768;

export class Waveform {
  // onSeek(seconds) and onEdit(events) are called after changes by the user, onLoad() when the peaks are
  // there, and onDraw(waveform) when anything may look different.
  constructor({ onSeek, onEdit, onLoad, onDraw = () => {} }) {
    Object.assign(this, { onSeek, onEdit, onLoad, onDraw });
    this.peaks = null;
    this.begin = 0; // seconds of the animation at which the sound begins
    this.events = [];
    this.chosen = -1;
    this.position = 0;
    this.canvas = el("canvas", { tabindex: "0", role: "slider", "aria-label": "Waveform and events",
      "aria-valuemin": "0", "aria-describedby": "waveform-help" });
    this.element = el("div", { class: "waveform" }, this.canvas);
    for (const name of ["pointerdown", "pointermove", "pointerup", "dblclick", "keydown"])
      this.canvas.addEventListener(name, (event) => this[name](event));
    new ResizeObserver(() => this.load()).observe(this.canvas);
  }

  get length() {
    return this.peaks?.seconds ?? 1;
  }

  async show(name, begin, events) {
    this.begin = begin;
    this.events = [...events];
    this.chosen = -1;
    if (this.name !== name) this.peaks = null;
    this.name = name;
    await this.load();
  }

  // Asks for as many pieces as there are pixels.
  async load() {
    const pixels = Math.round(this.canvas.clientWidth * devicePixelRatio), { name } = this;
    if (!pixels || !name) return;
    if (!this.peaks || this.peaks.pixels !== pixels) {
      const peaks = await getPeaks(name, pixels);
      if (name !== this.name) return;
      this.peaks = { ...peaks, pixels };
      this.canvas.setAttribute("aria-valuemax", this.length.toFixed(2));
      this.onLoad();
    }
    this.drawPeaks();
  }

  drawPeaks() {
    const { canvas } = this, width = this.peaks.pixels, height = Math.round(HEIGHT * devicePixelRatio);
    this.picture = new OffscreenCanvas(width, height);
    const context = this.picture.getContext("2d"), { values } = this.peaks, pieces = values.length / 2;
    context.fillStyle = getComputedStyle(canvas).getPropertyValue("--wave");
    for (let x = 0; x < width; x++) {
      const from = Math.floor((x * pieces) / width), to = Math.max(from + 1, Math.floor(((x + 1) * pieces) / width));
      let low = 0, high = 0;
      for (let piece = from; piece < to && piece < pieces; piece++) {
        low = Math.min(low, values[2 * piece]);
        high = Math.max(high, values[2 * piece + 1]);
      }
      const top = (0.5 - high / FULL_SCALE / 2) * height, bottom = (0.5 - low / FULL_SCALE / 2) * height;
      context.fillRect(x, top, 1, Math.max(bottom - top, 1));
    }
    canvas.width = width;
    canvas.height = height;
    this.draw();
  }

  draw() {
    if (!this.picture) return;
    const { canvas } = this, context = canvas.getContext("2d"), style = getComputedStyle(canvas);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.picture, 0, 0);
    const mark = (event, colour, width) => {
      const x = this.xOf(event.time_seconds - this.begin), half = 5 * devicePixelRatio;
      context.fillStyle = style.getPropertyValue(colour);
      context.fillRect(x - (devicePixelRatio * width) / 2, 0, devicePixelRatio * width, canvas.height);
      context.beginPath();
      context.moveTo(x - half, 0);
      context.lineTo(x + half, 0);
      context.lineTo(x, half * 1.5);
      context.fill();
    };
    for (const event of this.events) mark(event, "--mark", 1);
    context.fillStyle = style.getPropertyValue("--playhead");
    context.fillRect(this.xOf(this.position) - devicePixelRatio, 0, 2 * devicePixelRatio, canvas.height);
    if (this.chosen >= 0) mark(this.events[this.chosen], "--chosen", 2);
    canvas.setAttribute("aria-valuenow", this.position.toFixed(2));
    canvas.setAttribute("aria-valuetext", this.describe());
    this.onDraw(this);
  }

  describe() {
    const place = `${clockTime(this.position)} of ${clockTime(this.length)}`;
    if (this.chosen < 0) return place;
    const event = this.events[this.chosen];
    return `${place}, event ${this.chosen + 1} of ${this.events.length} at ${event.time_seconds.toFixed(2)} seconds, ${describeEvent(event)}`;
  }

  moveTo(seconds) {
    if (seconds === this.position) return;
    this.position = seconds;
    this.draw();
  }

  xOf(seconds) {
    return (seconds / this.length) * this.canvas.width;
  }

  secondsAt(event) {
    const box = this.canvas.getBoundingClientRect();
    return Math.max(0, Math.min((event.clientX - box.left) / box.width, 1)) * this.length;
  }

  eventNear(event) {
    const box = this.canvas.getBoundingClientRect(), x = event.clientX - box.left;
    const isAtFlag = event.clientY - box.top < FLAG_PX;
    let best = -1, nearest = isAtFlag ? MARK_PX : LINE_PX;
    for (const [index, each] of this.events.entries()) {
      const distance = Math.abs(((each.time_seconds - this.begin) / this.length) * box.width - x);
      if (distance < nearest) [best, nearest] = [index, distance];
    }
    return best;
  }

  pointerdown(event) {
    if (event.button !== 0) return;
    this.chosen = this.eventNear(event);
    this.dragged = this.chosen;
    this.hasMoved = false;
    this.canvas.setPointerCapture(event.pointerId);
    if (this.chosen < 0) this.onSeek(this.secondsAt(event));
    this.draw();
  }

  pointermove(event) {
    if (!(this.dragged >= 0)) {
      const near = this.events[this.eventNear(event)];
      this.canvas.title = near ? describeEvent(near) : "";
      return;
    }
    const time = this.begin + this.secondsAt(event);
    this.hasMoved ||= Math.abs(time - this.events[this.dragged].time_seconds) > 0.004;
    if (this.hasMoved) this.replace(this.dragged, time);
  }

  pointerup() {
    const hasMoved = this.dragged >= 0 && this.hasMoved;
    this.dragged = -1;
    if (hasMoved) this.edited();
  }

  dblclick(event) {
    if (this.eventNear(event) < 0) this.add(this.secondsAt(event));
  }

  keydown(event) {
    const step = event.shiftKey ? 10 : 1, sign = event.key === "ArrowLeft" ? -1 : 1;
    if (event.key === "[" || event.key === "]") this.choose(this.chosen + (event.key === "]" ? 1 : -1));
    else if (event.key === "Delete" || event.key === "Backspace") this.remove();
    else if (event.key === "+" || event.key === "Insert") this.add(this.position);
    else if (event.key.startsWith("Arrow") && ["ArrowLeft", "ArrowRight"].includes(event.key)) {
      if (event.altKey && this.chosen >= 0) {
        const time = this.events[this.chosen].time_seconds + sign * step * NUDGE_SECONDS;
        this.replace(this.chosen, Math.max(this.begin, Math.min(time, this.begin + this.length)));
        this.edited();
      } else this.onSeek(Math.max(0, Math.min(this.position + sign * step * 0.1, this.length)));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  choose(index) {
    if (!this.events.length) return;
    this.chosen = Math.max(0, Math.min(index, this.events.length - 1));
    this.onSeek(this.events[this.chosen].time_seconds - this.begin);
    this.draw();
  }

  replace(index, time) {
    this.events[index] = { ...this.events[index], time_seconds: time };
    this.draw();
  }

  add(seconds) {
    this.events.push({ time_seconds: this.begin + seconds });
    this.chosen = this.events.length - 1;
    this.edited();
  }

  remove() {
    if (this.chosen < 0) return;
    this.events.splice(this.chosen, 1);
    this.chosen = -1;
    this.edited();
  }

  // Brings the events into the order of time; the chosen one stays chosen.
  edited() {
    const chosen = this.events[this.chosen];
    this.events.sort((one, other) => one.time_seconds - other.time_seconds);
    this.chosen = this.events.indexOf(chosen);
    this.onEdit([...this.events]);
    this.draw();
  }

  setEvents(events) {
    this.events = [...events];
    this.chosen = -1;
    this.draw();
  }
}
