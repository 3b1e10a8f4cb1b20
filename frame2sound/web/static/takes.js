// Takes of an animation: any two at the same playhead, their events, downloads, and a blind test.

import { clockTime, el, plural } from "./dom.js";
import { shuffle } from "./chance.js";
import { Downloads, isSound } from "./downloads.js";
import { EventHistory } from "./event_history.js";
import { EventSources } from "./event_sources.js";
import { SyncedPlayer } from "./synced_player.js";
import { jobButtons } from "./jobs.js";
import { attempt, progressOf, stateOf, title, updateProgress } from "./parts.js";
import { getJson, mediaUrl } from "./server.js";
import { Waveform } from "./waveform.js";

const HELP = "Click: seek. Drag a mark: move an event. Double click: add one. Keys: arrows seek, [ and ] choose "
  + "an event, Alt and arrows move it, Delete deletes it, + adds one here, Ctrl-Z undoes.";

export class Takes {
  constructor(element, { render, reuse, refresh, addressOf }) {
    Object.assign(this, { element, render, reuse, refresh, wanted: null, isBlind: false, names: new Map() });
    this.takes = [];
    this.downloads = new Downloads(refresh);
    this.histories = new Map();
    this.waveform = new Waveform({ onSeek: (seconds) => this.seek(seconds), onEdit: (events) => this.edit(events),
      onLoad: () => this.follow(), onDraw: (waveform) => this.sources.show(waveform) });
    this.sources = new EventSources({ onChoose: (index) => this.waveform.choose(index), addressOf });
    this.drawPlayer();
    document.addEventListener("keydown", (event) => this.keydown(event));
  }

  drawPlayer() {
    this.video = el("video", { playsinline: true, "aria-label": "The animation" });
    this.playButton = el("button", { type: "button", class: "main", onclick: () => this.player?.toggle() }, "Play");
    this.time = el("span", { class: "quiet time" });
    this.blindButton = el("button", { type: "button", "aria-pressed": "false", onclick: () => this.toggleBlind() }, "Blind");
    this.apply = el("button", { type: "button", class: "main", hidden: true, onclick: () => this.renderEdited() }, "Render with these events");
    this.undoButton = el("button", { type: "button", hidden: true, "aria-keyshortcuts": "Control+Z", onclick: () => this.travel(-1) }, "Undo");
    this.redoButton = el("button", { type: "button", hidden: true, "aria-keyshortcuts": "Control+Shift+Z", onclick: () => this.travel(1) }, "Redo");
    this.note = el("span", { class: "quiet" });
    this.list = el("ol", { class: "take-list", "aria-label": "Takes" });
    this.stage = el("div", { class: "stage", hidden: true },
      el("div", { class: "screen" }, this.video, el("div", { class: "transport" }, this.playButton, this.time, this.blindButton)),
      el("div", { class: "tracks" }, this.waveform.element,
        el("div", { class: "choices" }, this.apply, this.undoButton, this.redoButton, this.note),
        this.sources.element, el("p", { class: "quiet help", id: "waveform-help" }, HELP)));
    this.element.replaceChildren(el("h3", {}, "Takes"), this.stage, this.list);
    this.video.addEventListener("click", () => this.player?.toggle());
  }

  get done() {
    return this.takes.filter((take) => take.state === "done");
  }

  get current() {
    return this.done.find((take) => String(take.number) === this.player?.chosen);
  }

  // `made` are the jobs that make files of takes.
  update(takes, made) {
    const state = stateOf([...takes, ...made]), isSame = state === this.shown;
    this.shown = state;
    this.takes = takes;
    this.downloads.update(made);
    if (isSame) return updateProgress(this.list, [...takes, ...made]);
    this.element.hidden = !takes.length;
    const wanted = this.done.find((take) => take.number === this.wanted);
    if (wanted) this.wanted = null;
    this.load(wanted);
    this.drawList();
  }

  // Gives the player the takes that begin where the chosen one begins.
  load(wanted) {
    const chosen = wanted ?? this.current ?? this.done.at(-1);
    this.stage.hidden = !chosen;
    if (!chosen) return;
    const tracks = new Map(this.done.filter((take) => take.about.start === chosen.about.start)
      .map((take) => [String(take.number), { src: mediaUrl(take.outputs[0]) }]));
    const key = String(chosen.number), names = [...tracks.keys()].join();
    if (names !== this.loaded) {
      const before = this.player && { position: this.player.currentTime(), playing: this.player.playing };
      this.player?.unload();
      this.loaded = names;
      this.player = new SyncedPlayer(this.video, tracks, { onChange: () => this.follow() });
      this.player.chosen = key;
      this.showPicture(chosen);
      if (before) this.player.seek(before.position);
      this.player.load();
      if (before?.playing) this.player.play();
    }
    this.choose(chosen);
  }

  // The picture is that of the longest take, or of the animation: all begin at the same frame.
  showPicture(chosen) {
    const peers = this.done.filter((take) => take.about.start === chosen.about.start);
    const longest = peers.reduce((one, other) => ((other.about.stop ?? Infinity) > (one.about.stop ?? Infinity) ? other : one));
    const source = mediaUrl(isSound(longest) ? longest.about.animation : longest.outputs[0]);
    if (!this.video.src.endsWith(source)) this.video.src = source;
  }

  async choose(take) {
    if (!this.player.tracks.has(String(take.number))) return this.load(take);
    this.player.choose(String(take.number));
    if (this.showing === take.number) return null;
    this.showing = take.number;
    this.drawList();
    const { events, bed } = await this.eventsOf(take);
    if (this.showing !== take.number) return null;
    if (!this.histories.has(take.number)) this.histories.set(take.number, new EventHistory(events));
    this.sources.bed = bed;
    this.showChanges();
    return attempt(() => this.waveform.show(take.outputs[0], take.about.start, this.history.events));
  }

  async eventsOf(take) {
    const file = take.outputs.find((name) => name.endsWith(".events.json"));
    if (!file) return { events: [], bed: [] };
    try {
      return await getJson(`/api/events?name=${encodeURIComponent(file)}`);
    } catch {
      return { events: [], bed: [] }; // the file was changed by hand
    }
  }

  follow() {
    const { player } = this;
    if (!player) return;
    this.playButton.textContent = player.playing ? "Pause" : "Play";
    const now = player.currentTime();
    this.time.textContent = `${clockTime(now)} of ${clockTime(this.waveform.length)}`;
    this.waveform.moveTo(now);
    for (const button of this.list.querySelectorAll(".take-name"))
      button.setAttribute("aria-pressed", button.dataset.take === player.chosen);
  }

  seek(seconds) {
    this.player?.seek(seconds);
  }

  // The edits of the take that is shown; those of each take are kept while the page is open.
  get history() {
    return this.histories.get(this.showing);
  }

  edit(events) {
    this.history?.add(events);
    this.showChanges();
  }

  // Undoes a change of the events, or does it again.
  travel(steps) {
    const { history } = this;
    if (!history) return;
    history.go(steps);
    this.waveform.setEvents(history.events);
    this.showChanges();
  }

  showChanges() {
    const { isChanged = false, canRedo = false, events = [] } = this.history ?? {}, focused = document.activeElement;
    this.apply.hidden = !isChanged;
    this.undoButton.hidden = this.redoButton.hidden = !isChanged && !canRedo;
    this.undoButton.disabled = !isChanged;
    this.redoButton.disabled = !canRedo;
    this.note.textContent = isChanged ? `${plural(events.length, "event")}, changed` : "";
    if (focused?.disabled) this.waveform.canvas.focus();
    const labels = this.done.map((take) => this.wholeLabel(take)).join();
    if (labels !== this.labels) this.drawList();
    this.labels = labels;
  }

  renderEdited() {
    const take = this.current;
    if (take && this.history?.isChanged) this.render({ ...take, about: { ...take.about, events_until: null } }, this.history.events);
  }

  // In a blind test takes are letters in random order, and say nothing else.
  toggleBlind() {
    this.isBlind = !this.isBlind;
    this.blindButton.setAttribute("aria-pressed", this.isBlind);
    const letters = shuffle(this.done.map((take) => take.number));
    this.names = new Map(letters.map((number, index) => [number, String.fromCharCode(65 + (index % 26))]));
    this.drawList();
  }

  drawList() {
    const order = this.isBlind ? [...this.done].sort((one, other) => this.letter(one).localeCompare(this.letter(other)))
      : this.takes.toReversed();
    const focused = this.list.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    const playable = order.filter((take) => take.state === "done");
    this.list.replaceChildren(...order.map((take) => this.rowOf(take, playable.indexOf(take))));
    if (focused) [...this.list.querySelectorAll("[aria-label]")].find((each) => each.getAttribute("aria-label") === focused)?.focus();
    this.follow();
  }

  letter(take) {
    return this.names.get(take.number) ?? "new";
  }

  // `index` is that of the key which plays it; -1 if none does.
  rowOf(take, index) {
    const isDone = take.state === "done", { about } = take;
    const name = this.isBlind ? this.letter(take) : title(take.outputs[0]);
    const button = el("button", { type: "button", class: "take-name", "data-take": take.number, disabled: !isDone,
      "aria-label": name, "aria-pressed": "false", onclick: () => this.choose(take) }, el("kbd", {}, isDone && index < 9 ? index + 1 : ""), name);
    if (this.isBlind) return el("li", { class: "take" }, button);
    const range = about.stop === null ? "whole" : `${about.start} to ${about.stop} s`;
    const changes = Object.entries(about.controls).map(([control, value]) => `${control} ${value}`);
    const text = [title(about.brain), about.mode ?? "mode of the brain", range, ...changes, about.scale, about.effects,
      about.edited_from ? `events edited from take ${about.edited_from}` : "",
      about.events_until ? `those of the brain from ${about.events_until} s on` : ""].filter(Boolean).join(", ");
    return el("li", { class: "take" }, button, el("span", { class: "quiet about" }, text),
      ["waiting", "running"].includes(take.state) ? progressOf(take) : null,
      take.error ? el("p", { class: "error" }, take.error) : null,
      el("div", { class: "choices small" }, isDone ? this.downloads.filesOf(take) : null,
        isDone && about.stop !== null ? el("button", { type: "button", onclick: () => this.renderWhole(take),
          "aria-label": `${this.wholeLabel(take)}: ${name}` }, this.wholeLabel(take)) : null,
        el("button", { type: "button", onclick: () => this.reuse(take), "aria-label": `Use the controls of ${name}` }, "Use its controls"),
        jobButtons(take, this.refresh)),
      isDone ? this.downloads.exportsOf(take) : null);
  }

  isEdited({ about, number }) {
    return Boolean(about.edited_from || this.histories.get(number)?.isChanged);
  }

  wholeLabel(take) {
    return this.isEdited(take) ? "The whole, with these events" : "The whole";
  }

  // The brain's events follow where those end that were edited.
  async renderWhole(take) {
    const { about, number } = take, history = this.histories.get(number), isEdited = this.isEdited(take);
    const events = isEdited ? history?.events ?? (await this.eventsOf(take)).events : null;
    await this.render({ ...take, about: { ...about, start: 0, stop: null, events_until: isEdited ? about.stop : null } }, events);
  }

  // Ctrl-Z, or Cmd-Z, and with Shift or as Ctrl-Y the other way.
  undoKey(event) {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || !["z", "y"].includes(key)) return false;
    this.travel(key === "y" || event.shiftKey ? 1 : -1);
    event.preventDefault();
    return true;
  }

  keydown(event) {
    const isTyping = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
    if (!isTyping && this.element.offsetParent !== null && this.undoKey(event)) return;
    if (isTyping || event.ctrlKey || event.altKey || event.metaKey || !this.player || this.element.offsetParent === null) return;
    if (event.key === " " && !["BUTTON", "A", "SUMMARY"].includes(event.target.tagName)) this.player.toggle();
    else if (/^[1-9]$/.test(event.key)) this.list.querySelectorAll(".take-name:not(:disabled)")[event.key - 1]?.click();
    else return;
    event.preventDefault();
  }
}
