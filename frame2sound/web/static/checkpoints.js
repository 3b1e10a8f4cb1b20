// Held-out film while a brain learns: its own sound and that of each checkpoint, at the same playhead.

import { clockTime, el } from "./dom.js";
import { SyncedPlayer } from "./synced_player.js";
import { mediaUrl } from "./server.js";

const OWN = "own";

export class Checkpoints {
  constructor(name) {
    this.name = name;
    this.against = null;
    this.video = el("video", { playsinline: true, "aria-label": `Held-out film, while ${name} learns` });
    this.playButton = el("button", { type: "button", class: "main", onclick: () => this.toggle() });
    this.swapButton = el("button", { type: "button", onclick: () => this.swap() }, el("kbd", {}, "A"), " Film or brain");
    this.time = el("span", { class: "quiet time" });
    this.list = el("ol", { class: "checkpoint-list", "aria-label": `Sounds of the held-out film, ${name}` });
    this.element = el("div", { class: "stage checkpoints", hidden: true },
      el("div", { class: "screen" }, this.video, el("div", { class: "transport" }, this.playButton, this.swapButton, this.time)),
      el("div", {}, el("h4", {}, "Hear held-out film"), this.list,
        el("p", { class: "quiet help" }, "Film that the brain does not learn from, as the brain sees it. Keys: space plays, "
          + "A changes between the film and a brain, 0 is the film, 1 to 9 the brains.")));
    this.video.addEventListener("click", () => this.toggle());
  }

  // `films` are those of a training, `curve` its losses.
  update({ original, epochs }, curve) {
    const shown = JSON.stringify([original, epochs]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.element.hidden = !original || !epochs.length;
    if (this.element.hidden) return this.player?.unload();
    this.losses = new Map(curve.map(([epoch, , heldOut]) => [epoch, heldOut]));
    this.load(new Map([...epochs.map(([epoch, name]) => [String(epoch), { src: mediaUrl(name) }]),
      [OWN, { src: mediaUrl(original) }]]));
    this.list.replaceChildren(...this.keys().map((key, index) => this.rowOf(key, index)));
    return this.follow();
  }

  // The film first, then the newest brain: as the number keys count.
  keys() {
    return [OWN, ...[...this.player.tracks.keys()].filter((key) => key !== OWN)];
  }

  // A new checkpoint does not disturb what is heard.
  load(tracks) {
    const before = this.player && { chosen: this.player.chosen, position: this.player.currentTime(), playing: this.player.playing };
    this.player?.unload();
    this.player = new SyncedPlayer(this.video, tracks, { onChange: () => this.follow() });
    const source = tracks.get(OWN).src;
    if (!this.video.src.endsWith(source)) this.video.src = source;
    if (!tracks.has(this.against)) this.against = tracks.keys().next().value;
    this.player.chosen = before && tracks.has(before.chosen) ? before.chosen : this.against;
    if (before) this.player.seek(before.position);
    if (before?.playing) this.player.play();
  }

  rowOf(key, index) {
    const loss = this.losses.get(Number(key));
    const words = key === OWN ? "The film's own sound" : `Epoch ${key}`;
    return el("li", {}, el("button", { type: "button", class: "take-name", "data-key": key, "aria-pressed": "false",
      onclick: () => this.choose(key) }, el("kbd", {}, index < 10 ? index : ""), words),
    el("span", { class: "quiet" }, typeof loss === "number" ? `loss ${loss}` : ""));
  }

  choose(key) {
    Checkpoints.current = this;
    if (key !== OWN) this.against = key;
    this.player.choose(key);
  }

  swap() {
    this.choose(this.player.chosen === OWN ? this.against : OWN);
  }

  toggle() {
    Checkpoints.current = this;
    this.player.toggle();
  }

  press(key) {
    if (this.element.hidden) return false;
    if (key === " ") this.toggle();
    else if (key.toLowerCase() === "a") this.swap();
    else if (/^\d$/.test(key) && this.keys()[key]) this.choose(this.keys()[key]);
    else return false;
    return true;
  }

  follow() {
    const { player } = this;
    const action = player.playing ? "Pause" : "Play";
    this.playButton.textContent = action;
    this.playButton.setAttribute("aria-label", `${action} the held-out film of ${this.name}`);
    this.time.textContent = `${clockTime(player.currentTime())} of ${clockTime(player.length)}`;
    for (const button of this.list.querySelectorAll("button"))
      button.setAttribute("aria-pressed", button.dataset.key === player.chosen);
  }
}
