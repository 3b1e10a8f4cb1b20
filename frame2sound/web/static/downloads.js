// What a take can be taken away as: its own files at once, and others that a command makes first.

import { el } from "./dom.js";
import { attempt, progressOf, title } from "./parts.js";
import { mediaUrl, postJson } from "./server.js";

const EXPORTS = {
  stems: ["Stems", "a WAV for each film that is heard, in a .zip; they add up to the mix"],
  markers: ["Markers", "the events as a table, .csv"],
  midi: ["MIDI", "the events as notes, .mid"],
  reaper: ["Reaper", "a project with its sound and the events as markers, in a .zip"],
  otio: ["OTIO", "a timeline for editing programs; it names the files in this project's folder"],
};

// The first seconds are a WAV, beside the animation's own picture.
export const isSound = (take) => take.outputs[0].endsWith(".wav");

export class Downloads {
  // refresh() is called when a command was asked for.
  constructor(refresh) {
    this.refresh = refresh;
    this.jobs = [];
    this.opened = new Set();
  }

  // The jobs that make files of takes.
  update(jobs) {
    this.jobs = jobs;
  }

  filesOf(take) {
    const [film, events] = take.outputs, eventsLink = events ? this.link(mediaUrl(events, true), "Events", title(events)) : null;
    if (isSound(take)) return [this.link(mediaUrl(film, true), "WAV", title(film)), eventsLink];
    const wav = this.madeOf(take, (job) => job.kind === "wav");
    const sound = wav?.state === "done" ? this.link(mediaUrl(wav.outputs[0], true), "WAV", title(wav.outputs[0]))
      : this.makeButton(wav, "WAV", title(film), `/api/job/${take.number}/wav`);
    return [this.link(mediaUrl(film, true), "Film", title(film)), sound, eventsLink];
  }

  // A part of the row of a take that can be opened; it stays open when the row is drawn again.
  exportsOf(take) {
    const name = title(take.outputs[0]);
    return el("details", { class: "exports", open: this.opened.has(take.number),
      ontoggle: (event) => this.opened[event.target.open ? "add" : "delete"](take.number) },
    el("summary", { "aria-label": `${name} for other programs` }, "For other programs"),
    Object.keys(EXPORTS).map((kind) => this.exportOf(take, kind, name)));
  }

  exportOf(take, kind, name) {
    const [label, about] = EXPORTS[kind], job = this.madeOf(take, (each) => each.about.export === kind);
    const obstacle = kind === "stems" && take.no_stems ? `none: ${take.no_stems}` : "";
    const control = job?.state === "done" ? this.link(`/api/job/${job.number}/download`, label, name)
      : this.makeButton(job, label, name, `/api/job/${take.number}/export/${kind}`, Boolean(obstacle));
    return el("div", { class: "export" }, control, el("span", { class: "quiet" }, obstacle || about),
      this.isOpen(job) ? progressOf(job) : null, job?.error ? el("p", { class: "error" }, job.error) : null);
  }

  madeOf(take, isMeant) {
    return this.jobs.findLast((job) => job.about.take === take.number && isMeant(job));
  }

  isOpen(job) {
    return ["waiting", "running"].includes(job?.state);
  }

  link(href, text, name) {
    return el("a", { href, download: "", class: "button", "aria-label": `Download ${text}: ${name}` }, text);
  }

  makeButton(job, text, name, path, isImpossible = false) {
    const make = () => attempt(async () => {
      await postJson(path);
      await this.refresh();
    });
    return el("button", { type: "button", disabled: isImpossible || this.isOpen(job), onclick: make,
      "aria-label": `Make ${text}: ${name}` }, this.isOpen(job) ? `Making ${text}` : `Make ${text}`);
  }
}
