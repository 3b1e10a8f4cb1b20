// The blind test: pairs in hidden order, votes that a reload does not lose, and what they say.

const KEPT = `frame2sound compare ${R.identity}`;
const CHOICES = { a: "A is better", none: "No difference", b: "B is better" };

let round = null;
let blindDeck = null;

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(round));
  } catch (error) {
    console.warn("votes cannot be kept in this browser; save them before you leave", error);
  }
}

function remembered() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT));
    const there = found.trials.every((trial) => found.pair.every((group) =>
      playerOf(group, trial.stretch, trial.seed)));
    return found.identity === R.identity && there ? found : null;
  } catch {
    return null;
  }
}

function chance() {
  return crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32;
}

function shuffle(list) {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(chance() * (last + 1));
    [list[last], list[other]] = [list[other], list[last]];
  }
  return list;
}

function playerOf(group, stretch, seed) {
  return R.soundtracks.find((track) => track.group === group && track.stretches[stretch] &&
    (track.seed === null || track.seed === seed));
}

function begin(one, other) {
  const trials = R.stretches.filter((each) => each.shown).flatMap((stretch) =>
    R.seeds.filter((seed) => playerOf(one, stretch.name, seed) && playerOf(other, stretch.name, seed))
      .map((seed) => ({ stretch: stretch.name, seed, a: chance() < 0.5 ? one : other })));
  round = { identity: R.identity, pair: [one, other], trials: shuffle(trials), votes: [],
    begun: new Date().toISOString(), revealed: null };
  keep();
  drawTrial();
}

function vote(choice, text) {
  const trial = round.trials[round.votes.length];
  const b = round.pair.find((group) => group !== trial.a);
  const better = choice === "none" ? null : choice === "a" ? trial.a : b;
  round.votes.push({ choice, better, text, at: new Date().toISOString(), ...trial, b });
  keep();
  drawTrial(blindDeck?.playing);
}

function saveVotes() {
  const { p, counts } = verdict();
  const told = round.revealed ? { counts, p } : {};
  const text = JSON.stringify({ program: R.program, ...round, ...told }, null, 1);
  const link = el("a", { download: "votes.json",
    href: URL.createObjectURL(new Blob([text], { type: "application/json" })) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// The exact two-sided binomial probability of so uneven votes, or more, if chance alone decided.
function binomialP(count, of) {
  const few = Math.min(count, of - count);
  let term = -of * Math.LN2, sum = 0;
  for (let number = 0; number <= few; number++) {
    sum += Math.exp(term);
    term += Math.log((of - number) / (number + 1));
  }
  return Math.min(1, 2 * sum);
}

function verdict() {
  const [one, other] = round.pair;
  const of = (group) => round.votes.filter((each) => each.better === group).length;
  const counts = { [one]: of(one), [other]: of(other), "no difference": of(null) };
  return { counts, p: binomialP(counts[one], counts[one] + counts[other]) };
}

function drawTrial(goOn = false) {
  const place = document.getElementById("trial");
  if (blindDeck) blindDeck.unload();
  blindDeck = null;
  if (!round) place.replaceChildren(beginning());
  else if (round.revealed) place.replaceChildren(revealed());
  else if (round.votes.length === round.trials.length) place.replaceChildren(finished());
  else place.replaceChildren(trialOf(round.trials[round.votes.length], goOn));
}

function beginning() {
  const groups = Object.keys(R.figures).filter((group) => group !== "silence");
  const choose = (chosen, label) => el("select", { "aria-label": label }, groups.map((group) =>
    el("option", { value: group, selected: group === chosen }, group)));
  const others = [...RECIPES.slice(1), "nearest", ...groups];
  const one = choose(RECIPES[0], "one"), other = choose(others.find((g) => groups.includes(g)), "other");
  const note = el("p", { class: "quiet" });
  const start = el("button", { class: "main", onclick: () => {
    if (one.value === other.value) note.textContent = "Choose two that differ.";
    else begin(one.value, other.value);
  } }, "Begin");
  return el("div", { class: "panel" }, el("div", { class: "choices" },
    "Compare", one, "with", other, start), note);
}

function volumes(figures) {
  const loud = figures.map((each) => each.loudness_lufs ?? SILENT);
  const least = Math.min(...loud.filter((value) => value > -70));
  return loud.map((value) => (value > -70 ? 10 ** (Math.max(least - value, -30) / 20) : 1));
}

function trialOf(trial, goOn) {
  const stretch = R.stretches.find((each) => each.name === trial.stretch);
  const b = round.pair.find((group) => group !== trial.a);
  const tracks = [trial.a, b].map((group) => playerOf(group, trial.stretch, trial.seed));
  const levels = volumes(tracks.map((track) => track.stretches[trial.stretch]));
  const heard = { a: 0, b: 0 }, video = film(stretch);
  const text = el("textarea", { placeholder: "What did you hear? (optional)", "aria-label": "comment" });
  const listen = ["a", "b"].map((key) => el("button", { class: "big", onclick: () => {
    deck.choose(key);
    if (!deck.playing) deck.play();
  } }, key.toUpperCase()));
  const votes = Object.entries(CHOICES).map(([choice, label]) =>
    el("button", { disabled: true, onclick: () => vote(choice, text.value.trim()) }, label));
  const pause = el("button", { onclick: () => deck.toggle() }, "Play");
  const hint = el("p", { class: "quiet" });
  const deck = new Deck(video, new Map(["a", "b"].map((key, which) =>
    [key, { src: media(trial.stretch, tracks[which].player), volume: levels[which] }])),
  { loop: true, watch: () => {
    if (deck.playing) heard[deck.chosen] += 1;
    listen.forEach((button, which) =>
      button.setAttribute("aria-pressed", deck.playing && deck.chosen === "ab"[which]));
    pause.textContent = deck.playing ? "Pause" : "Play";
    const both = heard.a > 8 && heard.b > 8;
    votes.forEach((button) => { button.disabled = !both; });
    hint.textContent = both ? "Which suits the picture better?" : "Listen to both, then vote.";
  } });
  blindDeck = deck;
  deck.watch();
  if (goOn) deck.play();
  return el("div", { class: "panel trial" }, video, el("div", {},
    el("p", {}, `Pair ${round.votes.length + 1} of ${round.trials.length}`),
    el("progress", { max: round.trials.length, value: round.votes.length }),
    el("div", { class: "choices" }, listen, pause), hint,
    el("div", { class: "choices" }, votes), text,
    el("div", { class: "choices" }, saving(),
      el("button", { disabled: !round.votes.length, onclick: reveal }, "Stop and reveal"))));
}

function saving() {
  return el("button", { onclick: saveVotes }, "Save votes");
}

function finished() {
  return el("div", { class: "panel" },
    el("p", {}, `All ${round.trials.length} pairs are judged.`),
    el("div", { class: "choices" },
      el("button", { class: "main", onclick: reveal }, "Reveal"), saving()));
}

function reveal() {
  round.revealed = new Date().toISOString();
  keep();
  drawTrial();
}

function revealed() {
  const { counts, p } = verdict(), [one, other] = round.pair;
  const said = counts[one] + counts[other], early = round.trials.length - round.votes.length;
  const sure = !said ? "Nobody was preferred."
    : `Exact binomial test, two-sided: p = ${p < 0.001 ? p.toExponential(1) : p.toFixed(3)} ` +
      `of ${plural(said, "vote")} that preferred one.`;
  const stopped = early ? ` Stopped ${plural(early, "pair")} before the end: p holds only if that ` +
    "was not decided by the votes." : "";
  const again = el("button", { onclick: () => {
    if (!confirm("Begin anew? The votes kept here are lost unless you saved them.")) return;
    round = null;
    localStorage.removeItem(KEPT);
    drawTrial();
  } }, "Begin anew");
  return el("div", { class: "panel" },
    el("table", {}, el("tbody", {}, Object.entries(counts).map(([label, count]) =>
      el("tr", {}, el("th", { style: "background: none" }, swatch(label), label),
        el("td", {}, plural(count, "vote")))))),
    el("p", { id: "verdict" }, sure + stopped),
    el("details", {}, el("summary", {}, "Every vote"), el("div", { class: "scroll" },
      el("table", {}, el("tbody", {}, round.votes.map((each) => el("tr", {},
        el("th", { style: "background: none" }, each.stretch), el("td", {}, `seed ${each.seed}`),
        el("td", {}, `A ${each.a}, B ${each.b}`), el("td", {}, CHOICES[each.choice]),
        el("td", {}, each.text))))))),
    el("div", { class: "choices" }, saving(), again));
}
