// Which film the sound of an event comes from: in words, and as a list.

import { clockTime, el } from "./dom.js";

const PLAYED = /\.(mp4|m4v|mov|webm)$/i;

// A film's folder without the digits that make its name unique.
export function filmTitle(film) {
  return film.replace(/-[0-9a-f]{8}$/, "");
}

export function describeEvent({ film, film_seconds: place, level_db: level }) {
  if (!film) return "a new event, whose sound is chosen when it is rendered";
  const parts = [`sound of ${filmTitle(film)}`];
  if (place !== undefined) parts.push(`from ${clockTime(place)} on`);
  if (level !== undefined) parts.push(`at ${level.toFixed(1)} dB`);
  return parts.join(", ");
}

export class EventSources {
  // onChoose(index) chooses an event; addressOf(film) gives the address of a film of the project, if it has it.
  constructor({ onChoose, addressOf }) {
    Object.assign(this, { onChoose, addressOf, bed: [], shown: "", listed: "" });
    this.chosen = el("p", { role: "status", class: "source" });
    this.here = el("p", { class: "quiet help" });
    this.body = el("tbody");
    this.list = el("details", { ontoggle: () => this.drawList() }, el("summary", {}, "List of events"),
      el("div", { class: "event-list" }, el("table", {}, el("thead", {}, el("tr", {},
        ["Event", "Film", "In the film", "Level"].map((text) => el("th", { scope: "col" }, text)))), this.body)));
    this.element = el("div", {}, this.chosen, this.here, this.list);
  }

  // Takes a waveform as it is drawn: at each frame while it plays.
  show({ events, chosen, position, begin }) {
    this.events = events;
    this.index = chosen;
    const now = begin + position, span = this.bed.findLast((each) => each.time_seconds <= now && now < each.end_seconds);
    const here = this.bed.length ? `Between events, here: ${span ? filmTitle(span.film) : "silence"}` : "";
    if (this.here.textContent !== here) this.here.textContent = here;
    const state = JSON.stringify([chosen, events[chosen], events.length]);
    if (state === this.shown) return;
    this.shown = state;
    this.drawChosen();
    this.drawList();
  }

  drawChosen() {
    const event = this.events[this.index];
    if (!event) return this.chosen.replaceChildren(el("span", { class: "quiet" }, this.events.length
      ? "No event is chosen." : "There are no events here; a double click, or +, adds one."));
    const text = `Event ${this.index + 1} of ${this.events.length}, ${clockTime(event.time_seconds)}: ${describeEvent(event)}. `;
    const address = event.film ? this.addressOf(event.film) : null;
    return this.chosen.replaceChildren(text, ...(address && PLAYED.test(address)
      ? [el("a", { href: `${address}#t=${event.film_seconds ?? 0}`, target: "_blank", rel: "noopener" }, "See it there")] : []));
  }

  drawList() {
    this.list.hidden = !this.events?.length;
    if (!this.list.open || this.list.hidden) return;
    const listed = JSON.stringify(this.events);
    if (listed !== this.listed) this.body.replaceChildren(...this.events.map((event, index) => this.rowOf(event, index)));
    this.listed = listed;
    for (const row of this.body.querySelectorAll("[aria-current]")) row.removeAttribute("aria-current");
    this.body.rows[this.index]?.setAttribute("aria-current", "true");
  }

  rowOf(event, index) {
    const { film, film_seconds: place, level_db: level } = event, number = `Event ${index + 1}: ${clockTime(event.time_seconds)}`;
    return el("tr", {}, el("th", { scope: "row" }, el("button", { type: "button", "aria-label": number,
      onclick: () => this.onChoose(index) }, clockTime(event.time_seconds))),
    el("td", { title: film }, film ? filmTitle(film) : "chosen when rendered"), el("td", {}, place === undefined ? "" : clockTime(place)),
    el("td", {}, level === undefined ? "" : `${level.toFixed(1)} dB`));
  }
}
