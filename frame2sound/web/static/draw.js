// The page Draw: sounds and drawings, pairs of networks that learn from them, and what these draw and sing.

import { el, plural } from "./dom.js";
import { jobButtons } from "./jobs.js";
import { arrange, attempt, choice, dropPlace, field, nextName, Panels, progressOf, STATES, title } from "./parts.js";
import { mediaUrl, postJson } from "./server.js";

const SOUNDS = [["loudness", "Louder"], ["brightness", "Brighter"], ["noisiness", "Noisier"], ["movement", "More moving"]];
const DRAWINGS = [["size", "larger", "smaller"], ["spikiness", "spikier", "rounder"], ["darkness", "darker", "lighter"],
  ["thickness", "thicker", "thinner"], ["height", "higher", "lower"], ["side", "further right", "further left"]];
const ASKED = [["loudness", "size"], ["brightness", "spikiness"]];
const SETS = ["notes", "squiggles"], SHOWN = 30;

const isOpen = (job) => ["waiting", "running"].includes(job?.state);

export class DrawPage {
  constructor(refresh) {
    this.refresh = refresh;
    this.panels = new Panels();
    this.forms = [];
    for (const [part, label, accept] of [["sounds", "Drop sounds or films", "audio/*,video/*,.flac,.opus,.mkv"],
      ["drawings", "Drop drawings: SVG or pictures", ".svg,image/*"]])
      dropPlace(document.getElementById(`${part}-drop`), { part, label, accept, onDone: refresh });
    this.buildSets();
    this.buildPair();
    this.buildDraw();
    this.buildSing();
  }

  async post(kind, table) {
    const job = await attempt(() => postJson(`/api/jobs/${kind}`, table));
    await this.refresh();
    return job;
  }

  onSubmit(id, parts, action) {
    const form = document.getElementById(id);
    form.append(...parts);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      action();
    });
  }

  // A button that works only while each of the selects has something to choose.
  submitButton(text, selects, needs) {
    const hint = el("span", { class: "quiet" }, needs), button = el("button", { type: "submit", class: "main" }, text);
    this.forms.push(() => {
      button.disabled = selects.some((select) => !select.value);
      hint.hidden = !button.disabled;
    });
    return el("div", { class: "choices" }, button, hint);
  }

  buildSets() {
    this.count = el("input", { type: "number", min: 32, max: 100000, value: 1024, required: true });
    this.onSubmit("sets-form", [el("div", { class: "choices sets" }, field("Number of each", this.count),
      el("button", { type: "submit" }, "Make notes and squiggles"),
      el("span", { class: "quiet" }, "sets of the studio's own, to try everything at once"))], () => this.makeSets());
    this.sets = document.getElementById("sets");
  }

  async makeSets() {
    const count = Number(this.count.value);
    const missing = SETS.filter((kind) => !this.known.has(`${kind === "notes" ? "sounds" : "drawings"}/${kind}-${count}`));
    for (const kind of missing.length ? missing : SETS) await this.post(kind, { count });
  }

  buildPair() {
    this.name = el("input", { required: true, maxlength: 60, pattern: "\\w[\\w .\\-]*", value: "my pair" });
    this.learnedSounds = choice([]);
    this.learnedDrawings = choice([]);
    this.steps = el("input", { type: "number", min: 1, max: 1000000, placeholder: "as in the recipe" });
    this.seed = el("input", { type: "number", min: 0, value: 0 });
    this.isFound = el("input", { type: "checkbox", onchange: () => { this.rows.disabled = this.isFound.checked; } });
    this.asked = ASKED.map((pair, index) => this.pairingRow(pair, index + 1));
    this.rows = el("fieldset", { class: "pairings" }, el("legend", {}, "What follows what"), this.asked.map((row) => row.element));
    const found = field("Let the networks find a mapping of their own", this.isFound);
    found.classList.add("check");
    found.prepend(this.isFound);
    this.onSubmit("pair-form", [el("div", { class: "fields" }, field("Name of the pair", this.name),
      field("Sounds to learn", this.learnedSounds), field("Drawings to learn", this.learnedDrawings)), this.rows, found,
    el("details", {}, el("summary", {}, "Steps and seed"), el("div", { class: "fields" }, field("Steps", this.steps), field("Seed", this.seed))),
    this.submitButton("Train", [this.learnedSounds, this.learnedDrawings], "needs sounds and drawings, at least 32 of each")], () => this.train());
    this.pairs = document.getElementById("pairs");
  }

  pairingRow([sound, drawing], number) {
    const sounds = choice([["", "No other"], ...SOUNDS.map(([word, text]) => [word, `${text} sounds (${word})`])], { "aria-label": `Sounds of pairing ${number}` });
    const drawings = choice(DRAWINGS.flatMap(([word, more, less]) => [[word, `${more} (${word})`], [`-${word}`, `${less} (\u2212${word})`]]),
      { "aria-label": `Drawings of pairing ${number}` });
    [sounds.value, drawings.value] = [sound, drawing];
    sounds.addEventListener("change", () => { drawings.disabled = !sounds.value; });
    return { sounds, drawings, element: el("div", { class: "pairing" }, sounds, el("span", { class: "quiet" }, "are drawn"), drawings) };
  }

  async train() {
    const rows = this.isFound.checked ? [] : this.asked.filter((row) => row.sounds.value);
    const job = await this.post("pair", { name: this.name.value.trim(), sounds: this.learnedSounds.value,
      drawings: this.learnedDrawings.value, pairing: Object.fromEntries(rows.map((row) => [row.sounds.value, row.drawings.value])),
      steps: Number(this.steps.value) || null, seed: Number(this.seed.value) || 0 });
    if (job) this.name.value = nextName(this.name.value.trim());
  }

  buildDraw() {
    this.sound = choice([]);
    this.drawPair = choice([]);
    this.form = choice([["film", "Film, .mp4"], ["still", "Still of a second, .svg"]], { onchange: () => this.followForm() });
    this.fps = el("input", { type: "number", min: 1, max: 240, step: "any", value: 25, required: true });
    this.at = el("input", { type: "number", min: 0, step: "any", placeholder: "the loudest" });
    this.voices = el("input", { type: "number", min: 1, max: 12, value: 1, required: true });
    this.fpsField = field("Frames a second", this.fps);
    this.atField = field("Middle of the second, in s", this.at);
    this.onSubmit("draw-form", [el("h4", { id: "draw-form-title" }, "Draw a sound"), el("div", { class: "fields" },
      field("Sound or film", this.sound), field("Pair that draws", this.drawPair), field("What to draw", this.form), this.fpsField, this.atField,
      field("Voices: a stroke each", this.voices)),
    this.submitButton("Draw", [this.sound, this.drawPair], "needs a sound and a pair")], () => this.draw());
    this.followForm();
  }

  followForm() {
    this.atField.hidden = this.form.value !== "still";
    this.fpsField.hidden = this.fps.disabled = !this.atField.hidden;
  }

  draw() {
    const isStill = this.form.value === "still";
    return this.post("draw", { sound: this.sound.value, pair: this.drawPair.value, form: this.form.value, voices: Number(this.voices.value),
      ...isStill ? { at: this.at.value === "" ? null : Number(this.at.value) } : { fps: Number(this.fps.value) } });
  }

  buildSing() {
    this.drawing = choice([], { onchange: () => this.preview() });
    this.singPair = choice([]);
    this.by = choice([["mosaic", "learned sounds (mosaic)"], ["phase", "new sounds (phase)"]]);
    this.picture = el("img", { class: "preview", hidden: true });
    this.onSubmit("sing-form", [el("h4", { id: "sing-form-title" }, "Sing a drawing"), el("div", { class: "fields" },
      field("Drawing, or drawn film", this.drawing), field("Pair that sings", this.singPair), field("Made of", this.by)), this.picture,
    this.submitButton("Sing", [this.drawing, this.singPair], "needs a drawing and a pair")],
    () => this.post("sing", { drawing: this.drawing.value, pair: this.singPair.value, by: this.by.value }));
  }

  preview() {
    const name = this.drawing.value, isPicture = /\.(svg|png|jpe?g|webp)$/i.test(name);
    if (isPicture && this.picture.dataset.name !== name) {
      this.picture.src = pictureUrl(name);
      this.picture.alt = title(name);
      this.picture.dataset.name = name;
    }
    this.picture.hidden = !isPicture;
  }

  update(state) {
    const { drawing } = state, { sounds, drawings } = drawing;
    this.known = new Set([...sounds, ...drawings].map((set) => set.name));
    while (!this.isNamed && drawing.pairs.includes(`pairs/${this.name.value}.safetensors`)) this.name.value = nextName(this.name.value);
    this.isNamed = true;
    this.updateSelects(drawing);
    for (const form of this.forms) form();
    const making = state.jobs.filter((job) => SETS.includes(job.kind) && job.state !== "done" && !this.known.has(job.outputs[0]));
    const last = new Map(making.map((job) => [job.outputs[0], job]));
    arrange(this.sets, [...last.values()].map((job) => this.panel(`set ${job.outputs[0]}`, [job], () => [el("code", {}, job.command), ...this.progress(job)])));
    arrange(this.pairs, this.pairPanels(state));
    const results = state.jobs.filter((job) => ["draw", "sing"].includes(job.kind)).toReversed().slice(0, SHOWN);
    arrange(document.getElementById("drawn"), results.map((job) => this.panel(`result ${job.number}`, [job], () => this.result(job))));
  }

  updateSelects({ sounds, drawings, films, animations, pairs, drawn, sung }) {
    const named = (names) => names.map((name) => [name, title(name)]);
    const sets = (list, own) => list.map(({ name, count }) => [name, `${name === own ? "dropped here" : title(name)} (${count})`]);
    const files = (list, own) => list.map((set) => [set.name === own ? "Dropped here" : title(set.name), named(set.files)]);
    setGroups(this.learnedSounds, [["Sounds", sets(sounds, "sounds")],
      ["Films of the project", films.length ? [["films", `all films (${films.length})`], ...named(films)] : []]], "no sounds yet");
    setGroups(this.learnedDrawings, [["Drawings", sets(drawings, "drawings")], ["Animations of the project", named(animations)]], "no drawings yet");
    setGroups(this.sound, [...files(sounds, "sounds"), ["Films of the project", named(films)], ["Sung", named(sung)]], "no sounds yet");
    setGroups(this.drawing, [...files(drawings, "drawings"), ["Drawn", named(drawn)], ["Animations of the project", named(animations)]], "no drawings yet");
    for (const select of [this.drawPair, this.singPair]) setGroups(select, [["Pairs", named(pairs)]], "no pair yet");
    this.preview();
  }

  panel(key, jobs, build) {
    return this.panels.show(key, jobs, () => el("article", { class: "panel drawing" }, build()));
  }

  progress(job) {
    return [isOpen(job) ? progressOf(job) : null, job.error && job.state === "failed" ? el("p", { class: "error" }, job.error) : null,
      job.state === "done" ? null : el("div", { class: "choices small" }, jobButtons(job, this.refresh))];
  }

  pairPanels({ jobs, drawing }) {
    const trained = new Map(jobs.filter((job) => job.kind === "pair").map((job) => [job.outputs[0], job]));
    const names = new Set([...[...trained.keys()].filter((name) => trained.get(name).state !== "done"), ...drawing.pairs].toReversed());
    return [...names].map((name) => {
      const report = `${name.replace(/\.safetensors$/, "")}.html`, isThere = drawing.reports.includes(report);
      const measured = isThere ? null : jobs.findLast((job) => job.kind === "report" && job.outputs[0] === report);
      const own = [trained.get(name), measured].filter(Boolean), isReady = drawing.pairs.includes(name);
      return this.panel(`pair ${name}`, [...own, { isReady, isThere }], () => this.pairPanel(name, trained.get(name), measured, isReady, isThere));
    });
  }

  pairPanel(name, job, measured, isReady, isThere) {
    const asked = job ? job.about.pairing || "found by the networks" : "", shown = title(name);
    const make = el("button", { type: "button", "aria-label": `Measure ${shown}`, onclick: () => this.post("report", { pair: name }) }, "Measure");
    return [el("div", { class: "choices" }, el("h4", {}, shown), el("span", { class: "quiet" }, [asked, isReady ? "" : STATES[job.state]].filter(Boolean).join(", ")),
      isReady && !isThere && !isOpen(measured) ? make : null, isReady ? downloadLink(name, "Networks") : null),
    ...job ? this.progress(isReady ? { ...job, state: "done" } : job) : [],
    ...measured ? this.progress(measured) : [], isThere ? reportOf(shown) : null];
  }

  result(job) {
    const [name] = job.outputs, source = title(job.about.sound ?? job.about.drawing), { pair, form, fps, voices, by } = job.about;
    const about = [`${job.kind === "draw" ? "of" : "from"} ${source}`, `by ${title(pair)}`, form === "film" ? `${fps} frames a second` : "",
      voices > 1 ? plural(voices, "voice") : "", by ?? ""].filter(Boolean).join(", ");
    return [el("h4", {}, title(name)), el("p", { class: "quiet about" }, about), ...this.progress(job),
      ...job.state === "done" ? [shownFile(name), el("div", { class: "choices small" }, downloadLink(name, name.split(".").at(-1).toUpperCase()))] : []];
  }
}

function pictureUrl(name) {
  return name.toLowerCase().endsWith(".svg") ? mediaUrl(name).replace("/media/", "/drawing/") : mediaUrl(name);
}

function shownFile(name) {
  const label = { "aria-label": title(name) };
  if (name.endsWith(".svg")) return el("img", { src: pictureUrl(name), alt: `Drawing ${title(name)}` });
  if (name.endsWith(".wav")) return el("audio", { controls: true, preload: "metadata", src: mediaUrl(name), ...label });
  return el("video", { controls: true, playsinline: true, preload: "metadata", src: mediaUrl(name), ...label });
}

function downloadLink(name, text) {
  return el("a", { href: mediaUrl(name, true), download: "", class: "button", "aria-label": `Download ${text}: ${title(name)}` }, text);
}

// The report loads when it is opened; it runs no script.
function reportOf(name) {
  const address = `/pair/${encodeURIComponent(name)}/report.html`;
  const frame = el("iframe", { title: `Report of ${name}`, class: "report", sandbox: "" });
  return el("details", { ontoggle: (event) => { if (event.target.open && !frame.src) frame.src = address; } },
    el("summary", { "aria-label": `Report of ${name}` }, "Report"),
    el("p", {}, el("a", { href: address, target: "_blank", rel: "noopener" }, "Open it in a tab of its own")), frame);
}

// Replaces the options of a select, in groups, if they have changed, and keeps what somebody chose.
function setGroups(select, groups, none) {
  const filled = groups.filter(([, options]) => options.length), before = select.value, state = JSON.stringify(filled);
  if (select.dataset.state === state) return;
  select.dataset.state = state;
  select.onchange ??= () => { select.dataset.isChosen = "yes"; };
  select.disabled = !filled.length;
  select.replaceChildren(...filled.map(([label, options]) => el("optgroup", { label }, options.map(([value, text]) => el("option", { value }, text)))));
  if (!filled.length) select.append(el("option", { value: "" }, none));
  if (select.dataset.isChosen && filled.some(([, options]) => options.some(([value]) => value === before))) select.value = before;
}
