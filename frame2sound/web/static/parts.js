// Parts that several pages use: messages, fields, progress, places to drop files.

import { el, plural } from "./dom.js";
import { upload } from "./server.js";

export function say(text, isError = false) {
  const message = document.getElementById("message");
  message.textContent = text;
  message.classList.toggle("error", isError);
  message.hidden = !text;
}

// Runs what a button does; an error becomes the message of the page.
export async function attempt(action) {
  try {
    say("");
    return await action();
  } catch (error) {
    say(error.message, true);
    return null;
  }
}

let fieldNumber = 0;

export function field(label, input, hint = null) {
  input.id ||= `field-${++fieldNumber}`;
  return el("div", { class: "field" }, el("label", { for: input.id }, label), input, hint);
}

export function choice(options, attributes = {}) {
  return el("select", attributes, options.map(([value, text]) => el("option", { value }, text)));
}

// Replaces the options of a select if they have changed, and keeps what is chosen.
export function setOptions(select, options) {
  const before = select.value, state = JSON.stringify(options);
  if (select.dataset.state === state) return;
  select.dataset.state = state;
  select.replaceChildren(...options.map(([value, text]) => el("option", { value }, text)));
  if (options.some(([value]) => value === before)) select.value = before;
}

export function title(name) {
  return name.split("/").at(-1).replace(/\.safetensors$/, "");
}

// The name that follows one: "bells", "bells 2".
export function nextName(name) {
  const [, stem, number] = name.match(/^(.*?)(?: (\d+))?$/);
  return `${stem} ${Number(number ?? 1) + 1}`;
}

export function progressOf(job) {
  const { progress } = job, bar = el("progress", { max: 1, "aria-label": "progress" });
  if (progress?.total) bar.value = progress.done / progress.total;
  const text = job.state === "waiting" ? "waits for its turn"
    : progress ? [progress.task, progress.note].filter(Boolean).join("  ") : "starts";
  return el("div", { class: "progress", "data-job": job.number }, bar, el("span", { class: "quiet" }, text));
}

// Jobs as a text that stays the same while only their progress changes.
export function stateOf(jobs) {
  return JSON.stringify(jobs.map((job) => ({ ...job, progress: null, curve: null })));
}

// Brings progress in an element up to date; buttons beside it are left alone, as one may be pressed just now.
export function updateProgress(element, jobs) {
  for (const bar of element.querySelectorAll("[data-job]")) {
    const job = jobs.find((each) => String(each.number) === bar.dataset.job);
    if (job) bar.replaceWith(progressOf(job));
  }
}

// Elements that are built anew only when what they show changes: what plays, is open or is pressed in them goes on.
export class Panels {
  constructor() {
    this.known = new Map();
  }

  // `shown` are the jobs, or other objects, that the element of `build` shows.
  show(key, shown, build) {
    const state = stateOf(shown), known = this.known.get(key);
    if (known?.state === state) {
      updateProgress(known.element, shown);
      return known.element;
    }
    const element = build(), hadFocus = known?.element.contains(document.activeElement);
    this.known.set(key, { state, element });
    known?.element.replaceWith(element);
    if (hadFocus) element.querySelector("button, summary, a")?.focus();
    return element;
  }
}

// Shows elements in an order, and moves none that is in its place: a film that is moved stops.
export function arrange(place, wanted) {
  for (const child of [...place.children]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((element, index) => {
    if (place.children[index] !== element) place.insertBefore(element, place.children[index] ?? null);
  });
}

export const STATES = { waiting: "waits", running: "runs", done: "done", failed: "failed", stopped: "stopped" };

// Numbered pictures that are dropped together become one folder, named as their names begin.
function folderOf(files) {
  const isImage = (file) => /\.(png|jpe?g|tiff?|webp|bmp|exr)$/i.test(file.name);
  if (files.length < 2 || !files.every(isImage)) return "";
  return files[0].name.replace(/[-_. ]*\d*\.[^.]*$/, "") || "pictures";
}

async function entriesOf(transfer) {
  const roots = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [];
  const read = async (entry) => {
    if (entry.isFile) files.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
    if (!entry.isDirectory) return;
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const each of some) await read(each);
    }
  };
  for (const root of roots) await read(root);
  return files.length ? files : [...transfer.files];
}

// A place to drop files, which is a button for the keyboard, too. `onDone` takes their names.
export function dropPlace(element, { part, label, accept, onDone }) {
  const input = el("input", { type: "file", multiple: true, accept, id: `${part}-input`, class: "hidden-input" });
  const bar = el("progress", { max: 1, value: 0, hidden: true, "aria-label": "upload" });
  const place = el("label", { class: "drop", for: input.id }, el("strong", {}, label),
    el("span", { class: "quiet" }, "or choose files"));
  async function take(files) {
    files = files.filter((file) => !file.name.startsWith("."));
    if (!files.length) return;
    await attempt(async () => {
      const folder = part === "animations" ? folderOf(files) : "", names = new Set();
      bar.hidden = false;
      try {
        for (const [index, file] of files.entries())
          names.add(await upload(file, part, folder, (share) => { bar.value = (index + share) / files.length; }));
        say(`${plural(names.size, "file")} added`);
      } finally {
        bar.hidden = true;
        input.value = "";
        if (names.size) await onDone([...names]);
      }
    });
  }
  input.addEventListener("change", () => take([...input.files]));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.toggle("over", kind === "dragover");
    });
  }
  place.addEventListener("drop", async (event) => take(await entriesOf(event.dataTransfer)));
  element.replaceChildren(input, place, bar);
}
