// The studio: asks for the state of the project, and shows one of five pages.

import { drawJobs } from "./jobs.js";
import { say } from "./parts.js";
import { getJson } from "./server.js";
import { ComparePage } from "./compare.js";
import { DrawPage } from "./draw.js";
import { LibraryPage } from "./library.js";
import { SoundPage } from "./sound.js";
import { TrainPage } from "./train.js";

const BUSY_MS = 200, IDLE_MS = 2500;
const NAMES = ["sound", "library", "train", "compare", "draw"];

let pages = {}, timer = null, isLost = false;

async function refresh() {
  clearTimeout(timer);
  let wait = IDLE_MS;
  try {
    const state = await getJson("/api/state");
    document.getElementById("project").textContent = state.project;
    if (isLost || state.warning) say(state.warning, true);
    isLost = false;
    for (const page of Object.values(pages)) page.update(state);
    drawJobs(state.jobs, refresh);
    if (state.jobs.some((job) => ["waiting", "running"].includes(job.state))) wait = BUSY_MS;
  } catch (error) {
    isLost = true;
    say(error.message, true);
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, wait);
}

function showPage() {
  const wanted = location.hash.slice(1), name = NAMES.includes(wanted) ? wanted : NAMES[0];
  for (const each of NAMES) document.getElementById(each).hidden = each !== name;
  for (const link of document.querySelectorAll("#pages a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

const choices = await getJson("/api/choices");
pages = {
  sound: new SoundPage(choices, refresh),
  library: new LibraryPage(refresh),
  train: new TrainPage(choices, refresh),
  compare: new ComparePage(choices, refresh),
  draw: new DrawPage(refresh),
};
window.addEventListener("hashchange", showPage);
await refresh();
showPage();
