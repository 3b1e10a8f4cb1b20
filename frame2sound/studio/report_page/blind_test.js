// Blind test: pairs in random order, votes in local storage, and their result.

const STORAGE_KEY = `frame2sound compare ${RESULTS.identity}`;
const CHOICES = { a: "A is better", none: "No difference", b: "B is better" };

let round = null;
let blindPlayer = null;

function saveLocally() {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(round));
  } catch (error) {
    console.warn("this browser cannot store votes; save them before you leave", error);
  }
}

function loadVotes() {
  try {
    const found = JSON.parse(localStorage.getItem(STORAGE_KEY));
    const isComplete = found.trials.every((trial) => found.pair.every((group) =>
      soundtrackOf(group, trial.stretch, trial.seed)));
    return found.identity === RESULTS.identity && isComplete ? found : null;
  } catch {
    return null;
  }
}

function soundtrackOf(group, segment, seed) {
  return RESULTS.soundtracks.find((track) => track.group === group && track.stretches[segment] &&
    (track.seed === null || track.seed === seed));
}

function startTest(one, other) {
  const trials = RESULTS.stretches.filter((each) => each.shown).flatMap((segment) =>
    RESULTS.seeds.filter((seed) => soundtrackOf(one, segment.name, seed) && soundtrackOf(other, segment.name, seed))
      .map((seed) => ({ stretch: segment.name, seed, a: randomNumber() < 0.5 ? one : other })));
  round = { identity: RESULTS.identity, pair: [one, other], trials: shuffle(trials), votes: [],
    begun: new Date().toISOString(), revealed: null };
  saveLocally();
  drawTrial();
}

function vote(choice, text) {
  const trial = round.trials[round.votes.length];
  const b = round.pair.find((group) => group !== trial.a);
  const better = choice === "none" ? null : choice === "a" ? trial.a : b;
  round.votes.push({ choice, better, text, at: new Date().toISOString(), ...trial, b });
  saveLocally();
  drawTrial(blindPlayer?.playing);
}

function saveVotes() {
  const { p, counts } = verdict();
  const result = round.revealed ? { counts, p } : {};
  const text = JSON.stringify({ program: RESULTS.program, ...round, ...result }, null, 1);
  const link = el("a", { download: "votes.json",
    href: URL.createObjectURL(new Blob([text], { type: "application/json" })) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// p-value of the exact two-sided binomial test of `count` votes of `total` for one of two.
function binomialP(count, total) {
  const fewer = Math.min(count, total - count);
  let term = -total * Math.LN2, sum = 0;
  for (let number = 0; number <= fewer; number++) {
    sum += Math.exp(term);
    term += Math.log((total - number) / (number + 1));
  }
  return Math.min(1, 2 * sum);
}

function verdict() {
  const [one, other] = round.pair;
  const votesFor = (group) => round.votes.filter((each) => each.better === group).length;
  const counts = { [one]: votesFor(one), [other]: votesFor(other), "no difference": votesFor(null) };
  return { counts, p: binomialP(counts[one], counts[one] + counts[other]) };
}

function drawTrial(playing = false) {
  const container = document.getElementById("trial");
  if (blindPlayer) blindPlayer.unload();
  blindPlayer = null;
  if (!round) container.replaceChildren(startPanel());
  else if (round.revealed) container.replaceChildren(resultPanel());
  else if (round.votes.length === round.trials.length) container.replaceChildren(finishedPanel());
  else container.replaceChildren(trialOf(round.trials[round.votes.length], playing));
}

function startPanel() {
  const groups = Object.keys(RESULTS.figures).filter((group) => group !== "silence");
  const choose = (chosen, label) => el("select", { "aria-label": label }, groups.map((group) =>
    el("option", { value: group, selected: group === chosen }, group)));
  const others = [...RECIPES.slice(1), "nearest", ...groups];
  const one = choose(RECIPES[0], "one"), other = choose(others.find((g) => groups.includes(g)), "other");
  const note = el("p", { class: "quiet" });
  const start = el("button", { class: "main", onclick: () => {
    if (one.value === other.value) note.textContent = "Choose two different soundtracks.";
    else startTest(one.value, other.value);
  } }, "Start");
  return el("div", { class: "panel" }, el("div", { class: "choices" },
    "Compare", one, "with", other, start), note);
}

function volumes(measures) {
  const loudness = measures.map((each) => each.loudness_lufs ?? MINUS_INFINITY_DB);
  const quietest = Math.min(...loudness.filter((value) => value > -70));
  return loudness.map((value) => (value > -70 ? 10 ** (Math.max(quietest - value, -30) / 20) : 1));
}

function trialOf(trial, playing) {
  const segment = RESULTS.stretches.find((each) => each.name === trial.stretch);
  const b = round.pair.find((group) => group !== trial.a);
  const tracks = [trial.a, b].map((group) => soundtrackOf(group, trial.stretch, trial.seed));
  const levels = volumes(tracks.map((track) => track.stretches[trial.stretch]));
  const listened = { a: 0, b: 0 }, video = videoOf(segment);
  const text = el("textarea", { placeholder: "What did you hear? (optional)", "aria-label": "comment" });
  const listen = ["a", "b"].map((key) => el("button", { class: "big", onclick: () => {
    player.choose(key);
    if (!player.playing) player.play();
  } }, key.toUpperCase()));
  const votes = Object.entries(CHOICES).map(([choice, label]) =>
    el("button", { disabled: true, onclick: () => vote(choice, text.value.trim()) }, label));
  const pause = el("button", { onclick: () => player.toggle() }, "Play");
  const hint = el("p", { class: "quiet" });
  const player = new SyncedPlayer(video, new Map(["a", "b"].map((key, which) =>
    [key, { src: mediaUrl(trial.stretch, tracks[which].player), volume: levels[which] }])),
  { loop: true, onChange: () => {
    if (player.playing) listened[player.chosen] += 1;
    listen.forEach((button, which) =>
      button.setAttribute("aria-pressed", player.playing && player.chosen === "ab"[which]));
    pause.textContent = player.playing ? "Pause" : "Play";
    const both = listened.a > 8 && listened.b > 8;
    votes.forEach((button) => { button.disabled = !both; });
    hint.textContent = both ? "Which suits the picture better?" : "Listen to both, then vote.";
  } });
  blindPlayer = player;
  player.onChange();
  if (playing) player.play();
  return el("div", { class: "panel trial" }, video, el("div", {},
    el("p", {}, `Pair ${round.votes.length + 1} of ${round.trials.length}`),
    el("progress", { max: round.trials.length, value: round.votes.length }),
    el("div", { class: "choices" }, listen, pause), hint,
    el("div", { class: "choices" }, votes), text,
    el("div", { class: "choices" }, saveButton(),
      el("button", { disabled: !round.votes.length, onclick: reveal }, "Stop and reveal"))));
}

function saveButton() {
  return el("button", { onclick: saveVotes }, "Save votes");
}

function finishedPanel() {
  return el("div", { class: "panel" },
    el("p", {}, `You have voted on all ${round.trials.length} pairs.`),
    el("div", { class: "choices" },
      el("button", { class: "main", onclick: reveal }, "Reveal"), saveButton()));
}

function reveal() {
  round.revealed = new Date().toISOString();
  saveLocally();
  drawTrial();
}

function resultPanel() {
  const { counts, p } = verdict(), [one, other] = round.pair;
  const decided = counts[one] + counts[other], early = round.trials.length - round.votes.length;
  const result = !decided ? "Neither was preferred."
    : `Exact binomial test, two-sided: p = ${p < 0.001 ? p.toExponential(1) : p.toFixed(3)} ` +
      `for ${plural(decided, "vote")} with a preference.`;
  const stopped = early ? ` Stopped ${plural(early, "pair")} before the end: p is valid only if the votes ` +
    "did not influence when to stop." : "";
  const again = el("button", { onclick: () => {
    if (!confirm("Start again? The votes in this browser will be deleted.")) return;
    round = null;
    localStorage.removeItem(STORAGE_KEY);
    drawTrial();
  } }, "Start again");
  return el("div", { class: "panel" },
    el("table", {}, el("tbody", {}, Object.entries(counts).map(([label, count]) =>
      el("tr", {}, el("th", { style: "background: none" }, swatch(label), label),
        el("td", {}, plural(count, "vote")))))),
    el("p", { id: "verdict" }, result + stopped),
    el("details", {}, el("summary", {}, "All votes"), el("div", { class: "scroll" },
      el("table", {}, el("tbody", {}, round.votes.map((each) => el("tr", {},
        el("th", { style: "background: none" }, each.stretch), el("td", {}, `seed ${each.seed}`),
        el("td", {}, `A ${each.a}, B ${each.b}`), el("td", {}, CHOICES[each.choice]),
        el("td", {}, each.text))))))),
    el("div", { class: "choices" }, saveButton(), again));
}
