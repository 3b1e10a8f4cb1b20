// The page Sound: an animation and a brain to takes.

import { el } from "./dom.js";
import { Controls } from "./controls.js";
import { attempt, choice, dropPlace, field, setOptions, title } from "./parts.js";
import { getJson, mediaUrl, postJson } from "./server.js";
import { Takes } from "./takes.js";

const MODES = {
  "": "as the brain prefers", mosaic: "mosaic: sounds of the films",
  granular: "granular: a cloud of grains", "overlap-add": "overlap-add: predicted spectra",
};
const FIRST_SECONDS = 10;

export class SoundPage {
  constructor(choices, refresh) {
    this.refresh = refresh;
    this.animation = choice([], { required: true });
    this.brain = choice([]);
    this.mode = choice(["", ...choices.modes].map((mode) => [mode, MODES[mode] ?? mode]));
    this.scale = el("input", { placeholder: "none, or as D minor" });
    this.effects = el("input", { placeholder: "none, or as reverb room=0.4" });
    this.seed = el("input", { type: "number", min: 0, value: 0, step: 1 });
    this.fps = el("input", { type: "number", min: 1, max: 1000, step: "any", placeholder: "25" });
    this.stereo = el("input", { type: "checkbox", id: "stereo" });
    this.controls = new Controls(choices.controls);
    this.takes = new Takes(document.getElementById("takes"), {
      render: (take, events) => this.renderEdited(take, events), reuse: (take) => this.reuse(take), refresh,
      addressOf: (film) => this.addressOf(film) });
    this.sources = new Map();
    this.drawForm();
    this.mode.addEventListener("change", () => this.showMode());
    this.animation.addEventListener("change", () => this.update(this.state));
    dropPlace(document.getElementById("animation-drop"), { part: "animations",
      label: "Drop an animation, a GIF or numbered pictures", accept: "video/*,image/*,.mkv,.mov,.exr,.tif",
      onDone: async (names) => { await refresh(); this.animation.value = names[0]; this.update(this.state); } });
    this.showMode();
  }

  drawForm() {
    const form = document.getElementById("render-form");
    const more = el("details", { class: "controls" }, el("summary", {}, "More"), el("div", { class: "fields" },
      field("Scale", this.scale), field("Effects", this.effects), field("Seed", this.seed),
      field("Frames per second, of numbered pictures", this.fps),
      el("div", { class: "field check" }, this.stereo, el("label", { for: "stereo" }, "Place sound where the picture is bright"))));
    form.append(el("div", { class: "fields" }, field("Animation", this.animation), field("Brain", this.brain),
      field("Mode", this.mode)), ...this.controls.elements, more,
    el("div", { class: "choices" },
      el("button", { type: "submit", class: "main", id: "render-first" }, `First ${FIRST_SECONDS} seconds`),
      el("button", { type: "button", id: "render-whole", onclick: () => this.render(null) }, "The whole")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.render(FIRST_SECONDS);
    });
  }

  showMode() {
    this.controls.showMode(this.mode.value);
  }

  update(state) {
    this.state = state;
    setOptions(this.animation, state.animations.map((name) => [name, title(name)]));
    setOptions(this.brain, state.brains.map((name) => [name, title(name)]));
    const isEmpty = !state.animations.length;
    for (const id of ["render-first", "render-whole"]) document.getElementById(id).disabled = isEmpty;
    const takes = state.jobs.filter((job) => job.kind === "render" && job.about.animation === this.animation.value);
    this.loadSources(state);
    this.takes.update(takes, state.jobs.filter((job) => ["wav", "export"].includes(job.kind)));
  }

  // The address of the film from which a film of the library was made, if the project has it.
  addressOf(film) {
    const name = `films/${this.sources.get(film)}`;
    return this.state.films.includes(name) ? mediaUrl(name) : null;
  }

  // Asks which films the library was made from, when that may have changed.
  async loadSources(state) {
    const known = JSON.stringify([state.films, state.jobs.filter((job) => job.kind === "pickle").map((job) => job.state)]);
    if (known === this.known) return;
    this.known = known;
    const library = await attempt(() => getJson("/api/library"));
    this.sources = new Map((library?.films ?? []).map((each) => [each.film, each.source]));
  }

  request(stop) {
    return {
      animation: this.animation.value, brain: this.brain.value, mode: this.mode.value || null,
      start: 0, stop, controls: this.controls.values, scale: this.scale.value,
      effects: this.effects.value, stereo: this.stereo.checked, seed: Number(this.seed.value) || 0,
      fps: Number(this.fps.value) || null,
    };
  }

  async render(stop) {
    await this.send(this.request(stop));
  }

  // The same command as of a take, with the events as they are now.
  async renderEdited(take, events) {
    await this.send({ ...take.about, events, edited_from: events ? take.number : null });
  }

  async send(request) {
    const job = await attempt(() => postJson("/api/jobs/render", request));
    if (!job) return;
    this.takes.wanted = job.number;
    await this.refresh();
  }

  reuse(take) {
    const { about } = take;
    this.brain.value = about.brain;
    this.mode.value = about.mode ?? "";
    this.controls.setAll(about.controls);
    for (const name of ["scale", "effects", "seed"]) this[name].value = about[name];
    this.fps.value = about.fps ?? "";
    this.stereo.checked = about.stereo;
    this.showMode();
    document.getElementById("render-form").scrollIntoView({ block: "nearest" });
  }
}
