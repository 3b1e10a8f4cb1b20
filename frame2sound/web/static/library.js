// The page Library: films with sound, how their sound follows their picture, and what takes part.

import { clockTime, el } from "./dom.js";
import { arrange, attempt, dropPlace, Panels, progressOf, title } from "./parts.js";
import { getJson, postJson } from "./server.js";

const VERDICTS = { well: "follows the picture well", hardly: "hardly follows the picture", "not at all": "does not follow the picture" };

export class LibraryPage {
  constructor(refresh) {
    this.refresh = refresh;
    this.table = { films: [], coupling: null };
    this.panels = new Panels();
    this.open = el("div", {});
    this.inside = el("ul", { class: "film-list" });
    this.heading = el("h3", { hidden: true }, "Not in the library");
    this.outside = el("ul", { class: "film-list" });
    document.getElementById("films").append(this.open, this.inside, this.heading, this.outside);
    dropPlace(document.getElementById("film-drop"), { part: "films", label: "Drop films with sound",
      accept: "video/*,.mkv", onDone: (names) => this.post("pickle", { films: names }) });
  }

  async post(kind, table) {
    await attempt(() => postJson(`/api/jobs/${kind}`, table));
    await this.refresh();
  }

  async update(state) {
    const jobs = state.jobs.filter((job) => ["pickle", "library", "inspect"].includes(job.kind));
    const open = jobs.filter((job) => ["waiting", "running"].includes(job.state));
    const ended = JSON.stringify([state.films, jobs.map((job) => [job.number, job.state])]);
    if (ended !== this.ended) {
      this.ended = ended;
      this.table = (await attempt(() => getJson("/api/library"))) ?? this.table;
    }
    this.draw(state, open);
  }

  draw(state, open) {
    const sentence = document.getElementById("coupling");
    sentence.textContent = this.table.coupling?.sentence ?? "";
    sentence.hidden = !sentence.textContent;
    const inside = new Set(this.table.films.map((film) => film.source));
    const pending = new Set(open.flatMap((job) => job.about.films ?? []));
    const outside = state.films.filter((name) => !inside.has(title(name)) && !pending.has(name));
    this.heading.hidden = !outside.length;
    arrange(this.open, open.map((job) => this.panels.show(`job ${job.number}`, [job], () => el("div", { class: "panel" }, el("code", {}, job.command), progressOf(job)))));
    arrange(this.inside, this.table.films.map((film) => this.panels.show(`film ${film.film}`, [film], () => this.rowOf(film))));
    arrange(this.outside, outside.map((name) => this.panels.show(`file ${name}`, [{ name }], () => this.outsideRow(name))));
  }

  outsideRow(name) {
    return el("li", { class: "choices" }, title(name), el("button", { type: "button", "aria-label": `Add ${title(name)}`,
      onclick: () => this.post("pickle", { films: [name] }) }, "Add"));
  }

  rowOf(film) {
    const change = (action) => () => this.post("library", { action, film: film.film });
    const address = `/api/library/${encodeURIComponent(film.film)}`;
    const facts = [clockTime(film.seconds), typeof film.loudness_lufs === "number" ? `${film.loudness_lufs.toFixed(1)} LUFS` : "",
      typeof film.silent === "number" ? `${Math.round(100 * film.silent)}% silent` : "",
      film.coupling?.verdict ? `sound ${VERDICTS[film.coupling.verdict]}` : film.coupling?.reason,
      film.excluded ? "excluded" : ""].filter(Boolean);
    return el("li", { class: `film panel${film.excluded ? " excluded" : ""}` },
      el("div", { class: "choices" }, el("strong", {}, film.source), el("span", { class: "quiet" }, facts.join(", "))),
      el("img", { src: `${address}/strip`, alt: `Sixteen frames of ${film.source}`, loading: "lazy", class: "strip" }),
      el("img", { src: `${address}/spectrogram`, alt: `Spectrogram of ${film.source}`, loading: "lazy", class: "spectrum" }),
      film.notes?.length ? el("p", { class: "quiet" }, film.notes.join("; ")) : null,
      el("div", { class: "choices small" },
        film.excluded ? el("button", { type: "button", onclick: change("include"), "aria-label": `Include ${film.source}` }, "Include")
          : el("button", { type: "button", onclick: change("exclude"), "aria-label": `Exclude ${film.source}` }, "Exclude"),
        el("button", { type: "button", onclick: change("delete"), "aria-label": `Remove ${film.source} from the library` }, "Remove")));
  }
}
