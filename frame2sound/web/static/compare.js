// The page Compare: recipes against each other, and the reports of comparisons.

import { el } from "./dom.js";
import { jobButtons } from "./jobs.js";
import { attempt, field, progressOf, STATES, title } from "./parts.js";
import { postJson } from "./server.js";

export class ComparePage {
  constructor(choices, refresh) {
    this.refresh = refresh;
    this.name = el("input", { required: true, maxlength: 60, pattern: "\\w[\\w .\\-]*", value: "comparison" });
    this.seeds = el("input", { type: "number", min: 1, max: 20, value: 5 });
    this.epochs = el("input", { type: "number", min: 1, placeholder: "as in the recipes" });
    this.place = document.getElementById("comparisons");
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
    const jobs = state.jobs.filter((job) => job.kind === "compare" && job.state !== "done").toReversed();
    const shown = JSON.stringify([jobs, state.comparisons]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.place.replaceChildren(...jobs.map((job) => el("div", { class: "panel" },
      el("div", { class: "choices" }, el("h3", {}, title(job.outputs[0])), el("span", { class: "quiet" }, STATES[job.state]),
        jobButtons(job, this.refresh)),
      ["waiting", "running"].includes(job.state) ? progressOf(job) : null,
      job.error && job.state === "failed" ? el("p", { class: "error" }, job.error) : null)),
    ...state.comparisons.map((name) => this.reportOf(title(name))));
  }

  reportOf(name) {
    const address = `/comparison/${encodeURIComponent(name)}/report.html`;
    const frame = el("iframe", { title: `Report of ${name}`, class: "report", loading: "lazy" });
    return el("details", { class: "panel", ontoggle: (event) => { if (event.target.open && !frame.src) frame.src = address; } },
      el("summary", {}, name), el("p", {}, el("a", { href: address, target: "_blank", rel: "noopener" }, "Open it in a tab of its own")), frame);
  }
}
