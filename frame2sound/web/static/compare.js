// The page Compare: recipes against each other, and the reports of comparisons.

import { el } from "./dom.js";
import { jobButtons } from "./jobs.js";
import { arrange, attempt, field, Panels, progressOf, STATES, title } from "./parts.js";
import { postJson } from "./server.js";

export class ComparePage {
  constructor(choices, refresh) {
    this.refresh = refresh;
    this.name = el("input", { required: true, maxlength: 60, pattern: "\\w[\\w .\\-]*", value: "comparison" });
    this.seeds = el("input", { type: "number", min: 1, max: 20, value: 5 });
    this.epochs = el("input", { type: "number", min: 1, placeholder: "as in the recipes" });
    this.place = document.getElementById("comparisons");
    this.panels = new Panels();
    this.reports = new Map();
    this.drawForm(choices.recipes);
  }

  drawForm(recipes) {
    const form = document.getElementById("compare-form");
    const boxes = recipes.slice(0, 6).map((recipe) => el("label", { class: "recipe" },
      el("input", { type: "checkbox", name: "recipe", value: recipe.name, checked: ["deep", "shallow"].includes(recipe.name) }),
      el("span", {}, el("strong", {}, recipe.name), el("span", { class: "quiet" }, recipe.about))));
    form.append(el("fieldset", {}, el("legend", {}, "Recipes"), el("div", { class: "recipes" }, boxes)),
      el("div", { class: "fields" }, field("Name", this.name), field("Seeds of each recipe", this.seeds), field("Epochs", this.epochs)),
      el("div", { class: "choices" }, el("button", { type: "submit", class: "main" }, "Compare")));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      await attempt(() => postJson("/api/jobs/compare", { name: this.name.value.trim(),
        recipes: new FormData(form).getAll("recipe"), seeds: Number(this.seeds.value) || 5, epochs: Number(this.epochs.value) || null }));
      await this.refresh();
    });
  }

  update(state) {
    const compared = state.jobs.filter((job) => job.kind === "compare");
    const open = compared.filter((job) => job.state !== "done").toReversed();
    arrange(this.place, [...open.map((job) => this.panels.show(job.number, [job], () => this.panelOf(job))),
      ...state.comparisons.map((name) => this.reportOf(title(name), compared.findLast((job) => job.state === "done" && job.outputs[0] === name)))]);
  }

  panelOf(job) {
    return el("div", { class: "panel" },
      el("div", { class: "choices" }, el("h3", {}, title(job.outputs[0])), el("span", { class: "quiet" }, STATES[job.state]),
        jobButtons(job, this.refresh)),
      ["waiting", "running"].includes(job.state) ? progressOf(job) : null,
      job.error && job.state === "failed" ? el("p", { class: "error" }, job.error) : null);
  }

  // An open report stays open; it loads again when its comparison has gone on.
  reportOf(name, job) {
    if (!this.reports.has(name)) this.reports.set(name, new Report(name));
    const report = this.reports.get(name);
    report.update(job?.ended);
    return report.element;
  }
}

class Report {
  constructor(name) {
    this.address = `/comparison/${encodeURIComponent(name)}/report.html`;
    this.frame = el("iframe", { title: `Report of ${name}`, class: "report", loading: "lazy" });
    this.element = el("details", { class: "panel", ontoggle: () => { if (this.element.open && !this.frame.src) this.load(); } },
      el("summary", {}, name), el("p", {}, el("a", { href: this.address, target: "_blank", rel: "noopener" }, "Open it in a tab of its own")), this.frame);
  }

  load() {
    this.frame.src = this.address;
  }

  update(ended) {
    if (ended !== this.ended && this.frame.src) this.load();
    this.ended = ended;
  }
}
