// The queue: each command, how far it is, and what can be done with it.

import { el } from "./dom.js";
import { attempt, progressOf, say, stateOf, STATES, updateProgress } from "./parts.js";
import { postJson } from "./server.js";

export function jobButtons(job, onChange) {
  const change = (action) => attempt(async () => {
    await postJson(`/api/job/${job.number}/${action}`);
    await onChange();
  });
  const isOpen = ["waiting", "running"].includes(job.state);
  const refused = (job.error ?? "").includes("begin anew: leave out");
  const again = job.kind !== "train" ? "Run again" : refused ? "Begin anew" : "Resume";
  return [
    isOpen ? el("button", { type: "button", onclick: () => change("stop"), "aria-label": `Stop command ${job.number}` }, "Stop") : null,
    ["failed", "stopped"].includes(job.state)
      ? el("button", { type: "button", onclick: () => change("again"), "aria-label": `${again}: command ${job.number}` }, again) : null,
  ];
}

async function copy(command) {
  try {
    await navigator.clipboard.writeText(command);
    say("The command is copied.");
  } catch {
    say("This browser does not let the page copy; select the command instead.", true);
  }
}

function rowOf(job, onChange) {
  const isOpen = ["waiting", "running"].includes(job.state);
  return el("li", { value: job.number, class: `job ${job.state}` },
    el("div", { class: "job-line" }, el("span", { class: "badge" }, STATES[job.state]),
      el("code", {}, job.command),
      el("button", { type: "button", onclick: () => copy(job.command), "aria-label": `Copy command ${job.number}` }, "Copy"),
      jobButtons(job, onChange)),
    isOpen ? progressOf(job) : null,
    job.error ? el("p", { class: "error" }, job.error) : null);
}

export function drawJobs(jobs, onChange) {
  const list = document.getElementById("jobs"), shown = jobs.slice(-30).reverse();
  const state = stateOf(shown);
  if (list.dataset.state === state) return updateProgress(list, shown);
  list.dataset.state = state;
  const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  list.replaceChildren(...shown.map((job) => rowOf(job, onChange)));
  document.getElementById("queue").hidden = !shown.length;
  if (focused) [...list.querySelectorAll("button")].find((each) => each.getAttribute("aria-label") === focused)?.focus();
}
