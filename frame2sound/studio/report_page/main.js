// Method and sources, and all parts of the page in their order.

const SOURCES = [
  "Onset F: mir_eval, one-to-one matches within 50 ms; chance: the mean of 200 circular shifts of the same onsets.",
  "In sync: limits of detectability of early and late sound, ITU-R BT.1359-1.",
  "Envelope: root mean squares at 100 Hz. Log-spectral distance: Gray and Markel 1976.",
  "Pitch: YIN, de Cheveigné and Kawahara 2002. Loudness and true peak: ITU-R BS.1770.",
  "Intervals: films crossed with seeds, Owen 2007, Cameron, Gelbach and Miller 2011; quantiles, Cochran and Cox 1950.",
  "One film: batches of blocks, Schmeiser 1982; jackknife, Miller 1974. Corrected p: Holm 1979.",
  "Blind test: listeners crossed with films, as above.",
];

const ONSET_SOURCES = {
  "the truth": "ground truth",
  "heard in its own sound": "detected in the original sound",
};

function drawProvenance() {
  const rate = RESULTS.clock.sample_rate;
  const range = ([from, to]) => `${(from / rate).toFixed(1)} to ${(to / rate).toFixed(1)} s`;
  const rows = (list, key) => list.map((film) => el("div", {}, `${film.name}, ${range(film[key])}`));
  const events = [...new Set(RESULTS.stretches.map((each) => ONSET_SOURCES[each.events]))]
    .filter(Boolean);
  const facts = [
    ["training data", rows(RESULTS.split.learned, "learned")],
    ["held out", rows(RESULTS.split.held_out, "held_out")],
    ["split", RESULTS.split.kind === "ends"
      ? `the end of each film; the ${(RESULTS.split.guard_seconds ?? 1).toFixed(1)} s before it are not used`
      : "whole films"],
    ["left out", Object.entries(RESULTS.split.left_out_copies ?? {}).map(([film, heldOut]) =>
      el("div", {}, `${film}, a copy or an excerpt of ${heldOut}`))],
    ["onsets", words(events)],
    ["clock", `${RESULTS.clock.fps} frames per second, ${rate} Hz`],
    ["rendering", RESULTS.mode],
    ["baselines", "fitted to the training data of the brains"],
    ["versions", [RESULTS.program, ...Object.entries(RESULTS.versions).map(([name, value]) => `${name} ${value}`)].join(", ")],
    ["results", [el("a", { href: "results.json" }, "results.json"), " ",
      el("a", { href: "results.csv" }, "results.csv")]],
    ["brains", RESULTS.brains.map((brain) =>
      el("div", {}, el("a", { href: encodeURI(brain.file) }, brain.file.replace("brains/", ""))))],
  ];
  document.getElementById("provenance").append(
    el("dl", {}, facts.filter(([, value]) => value.length).flatMap(([label, value]) => [el("dt", {}, label), el("dd", {}, value)])),
    ...SOURCES.map((line) => el("p", { class: "quiet" }, line)),
    ...RECIPES.map((recipe) => el("details", {}, el("summary", {}, swatch(recipe), recipe),
      el("pre", {}, JSON.stringify(RESULTS.recipes[recipe], null, 1)))));
}

drawLead();
drawDots();
drawDifferences();
drawTable();
drawCurves();
drawPlayers();
round = loadVotes();
drawTrial();
drawProvenance();
