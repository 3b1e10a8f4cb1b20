// The page Train: recipes, the queue of trainings, and how their loss falls.

import { Checkpoints } from "./checkpoints.js";
import { el, svg } from "./dom.js";
import { jobButtons } from "./jobs.js";
import { attempt, field, nextName, progressOf, STATES, title } from "./parts.js";
import { postJson } from "./server.js";

const WIDTH = 640, HEIGHT = 200, MARGIN = 34;

export class TrainPage {
  constructor(choices, refresh) {
    this.refresh = refresh;
    this.recipes = choices.recipes;
    this.name = el("input", { required: true, maxlength: 60, pattern: "\\w[\\w .\\-]*", value: "my brain" });
    this.epochs = el("input", { type: "number", min: 1, placeholder: "as in the recipe" });
    this.seed = el("input", { type: "number", min: 0, value: 0 });
    this.place = document.getElementById("trainings");
    this.trainings = new Map();
    this.drawForm();
    document.addEventListener("keydown", (event) => this.keydown(event));
  }

  drawForm() {
    const form = document.getElementById("train-form");
    const cards = (recipes) => recipes.map((recipe) => el("label", { class: "recipe" },
      el("input", { type: "radio", name: "recipe", value: recipe.name, checked: recipe.name === "deep" }),
      el("span", {}, el("strong", {}, recipe.name), el("span", { class: "quiet" }, recipe.about))));
    form.append(el("fieldset", {}, el("legend", {}, "Recipe"), el("div", { class: "recipes" }, cards(this.recipes.slice(0, 6))),
      el("details", {}, el("summary", {}, "Other recipes"), el("div", { class: "recipes" }, cards(this.recipes.slice(6))))),
    el("div", { class: "fields" }, field("Name of the brain", this.name), field("Epochs", this.epochs), field("Seed", this.seed)),
    el("div", { class: "choices" }, el("button", { type: "submit", class: "main" }, "Train")));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const job = await attempt(() => postJson("/api/jobs/train", { name: this.name.value.trim(),
        recipe: new FormData(form).get("recipe"), epochs: Number(this.epochs.value) || null, seed: Number(this.seed.value) || 0 }));
      if (job) this.name.value = nextName(this.name.value.trim());
      await this.refresh();
    });
  }

  // Each training stays in the page, so that what plays or has the focus goes on.
  update(state) {
    const jobs = state.jobs.filter((job) => job.kind === "train").toReversed();
    const numbers = jobs.map((job) => job.number).join();
    for (const job of jobs) {
      if (!this.trainings.has(job.number)) this.trainings.set(job.number, new Training(job, this.refresh));
      this.trainings.get(job.number).update(job);
    }
    if (numbers === this.numbers) return;
    this.numbers = numbers;
    this.place.replaceChildren(...jobs.map((job) => this.trainings.get(job.number).element));
  }

  keydown(event) {
    const isTyping = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
    if (isTyping || event.ctrlKey || event.altKey || event.metaKey || this.place.offsetParent === null) return;
    if (event.key === " " && ["BUTTON", "A", "SUMMARY"].includes(event.target.tagName)) return;
    const all = [...this.trainings.values()].toReversed().map((training) => training.checkpoints);
    const chosen = Checkpoints.current ?? all.find((each) => !each.element.hidden);
    if (chosen?.press(event.key)) event.preventDefault();
  }
}

class Training {
  constructor(job, refresh) {
    this.refresh = refresh;
    this.checkpoints = new Checkpoints(title(job.outputs[0]));
    this.head = el("div", { class: "choices" });
    this.facts = el("div", {});
    this.element = el("article", { class: "panel training" }, this.head, this.facts, this.checkpoints.element);
  }

  update(job) {
    if (job.state !== this.state) {
      this.state = job.state;
      this.head.replaceChildren(...[el("h3", {}, title(job.outputs[0])),
        el("span", { class: "quiet" }, `${job.about.recipe}, ${STATES[job.state]}`), ...jobButtons(job, this.refresh)].filter(Boolean));
    }
    const shown = JSON.stringify([job.state, job.progress, job.curve, job.error]);
    if (shown !== this.shown) {
      this.shown = shown;
      this.facts.replaceChildren(...[["waiting", "running"].includes(job.state) ? progressOf(job) : null,
        job.curve.length > 1 ? curveOf(job.curve) : null,
        job.error && job.state === "failed" ? el("p", { class: "error" }, job.error) : null,
        job.state === "stopped" ? el("p", { class: "quiet" }, "The best brain so far is kept, and is among the brains of the page Sound.") : null].filter(Boolean));
    }
    this.checkpoints.update(job.films, job.curve);
  }
}

// Loss by epoch; that of silence is 1, and is the line to get below.
function curveOf(curve) {
  const last = Math.max(curve.at(-1)[0], 2);
  const losses = curve.flatMap(([, loss, heldOut]) => [loss, heldOut]).filter((value) => value !== null);
  const top = Math.min(Math.max(1.1, ...losses), 2);
  const x = (epoch) => MARGIN + ((epoch - 1) / (last - 1)) * (WIDTH - MARGIN - 4);
  const y = (loss) => 6 + (1 - Math.min(loss, top) / top) * (HEIGHT - 28);
  const line = (index, kind) => {
    const points = curve.filter((point) => point[index] !== null).map((point) => `${x(point[0]).toFixed(1)},${y(point[index]).toFixed(1)}`);
    return svg("polyline", { points: points.join(" "), class: kind });
  };
  const text = (at, down, words, anchor = "start") => svg("text", { x: at, y: down, "text-anchor": anchor }, words);
  const [, loss, heldOut] = curve.at(-1);
  const told = `loss ${loss}${heldOut === null ? "" : `, on held-out film ${heldOut}`}; silence has 1`;
  return el("figure", {}, svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Loss after ${last} epochs: ${told}`, class: "curve" },
    svg("line", { x1: MARGIN, x2: WIDTH, y1: y(1), y2: y(1), class: "baseline" }), text(0, y(1) + 4, "1"), text(0, y(0) + 4, "0"),
    svg("line", { x1: MARGIN, x2: WIDTH, y1: y(0), y2: y(0), class: "axis" }),
    text(MARGIN, HEIGHT - 2, "epoch 1"), text(WIDTH, HEIGHT - 2, `epoch ${last}`, "end"), line(1, "learned"), line(2, "held-out")),
  el("figcaption", { class: "quiet" }, `${told}. Strong line: held-out film; faint line: training; dashes: silence.`));
}
