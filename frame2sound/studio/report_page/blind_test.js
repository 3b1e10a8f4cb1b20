// Blind test: pairs in random order, votes in local storage and of others, and their result.

const STORAGE_KEY = `frame2sound compare ${RESULTS.identity}`;
const CHOICES = { a: "A is better", none: "No difference", b: "B is better" };

const MAX_VOTES_BYTES = 2 ** 22;

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
    return found.identity === RESULTS.identity && isComplete
      ? { listener: found.begun, others: [], ...found } : null;
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
    begun: new Date().toISOString(), revealed: null, listener: String(randomNumber()),
    others: [] };
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
  const { others, ...own } = round;
  const result = round.revealed ? { counts: voteCounts([round.votes]) } : {};
  const text = JSON.stringify({ program: RESULTS.program, ...own, ...result }, null, 1);
  const link = el("a", { download: "votes.json",
    href: URL.createObjectURL(new Blob([text], { type: "application/json" })) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// The votes in a file that another listener saved; throws if they are of another comparison or pair.
async function readVotes(file) {
  if (file.size > MAX_VOTES_BYTES) throw new Error(`${file.name} is larger than a file of votes can be`);
  let saved;
  try {
    saved = JSON.parse(await file.text());
  } catch {
    throw new Error(`${file.name} is not readable as votes; save them on the page of this comparison`);
  }
  const names = new Set(RESULTS.stretches.map((each) => each.name));
  const isVote = (each) => names.has(each?.stretch) && (each.better === null || round.pair.includes(each.better));
  if (saved?.identity !== RESULTS.identity) throw new Error(`${file.name} has votes on another comparison`);
  if (!Array.isArray(saved.pair) || [...saved.pair].sort().join("\n") !== [...round.pair].sort().join("\n"))
    throw new Error(`${file.name} has votes on another pair`);
  if (!Array.isArray(saved.votes) || !saved.votes.every(isVote))
    throw new Error(`${file.name} has votes on what is not in this comparison`);
  const votes = saved.votes.map(({ stretch, better }) => ({ stretch, better }));
  return { listener: String(saved.listener ?? saved.begun), votes };
}

async function addVotes(files) {
  const known = new Map(round.others.map((each) => [each.listener, each]));
  const faults = [];
  for (const file of files) {
    try {
      const ballot = await readVotes(file);
      if (ballot.listener !== round.listener) known.set(ballot.listener, ballot);
    } catch (error) {
      faults.push(error.message);
    }
  }
  round.others = [...known.values()];
  saveLocally();
  drawTrial();
  document.getElementById("votes-note").textContent = faults.join("; ");
}

function voteCounts(ballots) {
  const votes = ballots.flat(), [one, other] = round.pair;
  const votesFor = (group) => votes.filter((each) => each.better === group).length;
  return { [one]: votesFor(one), [other]: votesFor(other), "no difference": votesFor(null) };
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

function resultLines(ballots) {
  const [one, other] = round.pair;
  const filmOf = (name) => RESULTS.stretches.find((each) => each.name === name).film;
  const { found, cannot } = preference(ballots, one, filmOf);
  if (!found) return cannot;
  const preferred = found.low > 0 ? one : found.high < 0 ? other : null;
  const said = preferred ? `${preferred} is preferred` : "No clear preference";
  return [`${said} ${found.holds}: mean vote ${number(found.mean, 2, true)} (95\u00a0% interval ` +
    `${number(found.low, 2, true)} to ${number(found.high, 2, true)}), where 1 is always ${one} and −1 always ` +
    `${other}.`, ...cannot];
}

function resultPanel() {
  const ballots = [round.votes, ...round.others.map((each) => each.votes)];
  const counts = voteCounts(ballots), early = round.trials.length - round.votes.length;
  const stopped = early ? [`Stopped ${plural(early, "pair")} before the end: this is valid only if the votes ` +
    "did not influence when to stop."] : [];
  const input = el("input", { type: "file", multiple: true, accept: ".json,application/json", id: "others-input",
    hidden: true, onchange: () => addVotes([...input.files]) });
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
    el("div", { id: "verdict" }, [...resultLines(ballots), ...stopped].map((line) => el("p", {}, line))),
    el("p", { class: "quiet" }, `Votes of ${plural(ballots.length, "listener")}. Each film counts once for each ` +
      "listener, however many seeds and stretches of it were heard."),
    el("p", { class: "quiet", id: "votes-note" }),
    el("details", {}, el("summary", {}, "All votes"), el("div", { class: "scroll" },
      el("table", {}, el("tbody", {}, round.votes.map((each) => el("tr", {},
        el("th", { style: "background: none" }, each.stretch), el("td", {}, `seed ${each.seed}`),
        el("td", {}, `A ${each.a}, B ${each.b}`), el("td", {}, CHOICES[each.choice]),
        el("td", {}, each.text))))))),
    el("div", { class: "choices" }, saveButton(),
      el("button", { onclick: () => input.click() }, "Add votes of others"), input, again));
}
