// How it was made, and all parts of the page in their order.

const SOURCES = [
  "Onset F: mir_eval, one-to-one matches within 50 ms; chance: the mean of 200 random guesses.",
  "In sync: detectability of early and late sound, ITU-R BT.1359-1.",
  "Envelope: root mean squares at 100 Hz. Log-spectral distance: Gray and Markel 1976.",
  "Pitch: YIN, de Cheveigné and Kawahara 2002. Loudness and true peak: ITU-R BS.1770.",
  "Intervals: Efron and Tibshirani 1993; blocks of time, Künsch 1989.",
];

function drawMade() {
  const rate = R.clock.sample_rate;
  const range = ([from, to]) => `${(from / rate).toFixed(1)} to ${(to / rate).toFixed(1)} s`;
  const rows = (list, key) => list.map((film) => el("div", {}, `${film.name}, ${range(film[key])}`));
  const events = [...new Set(R.stretches.map((each) => each.events).filter(Boolean))];
  const facts = [
    ["learned", rows(R.split.learned, "learned")],
    ["held out", rows(R.split.held_out, "held_out")],
    ["split", R.split.kind === "ends"
      ? "the end of each film; nothing is learned of the second before it" : "whole films"],
    ["events", words(events)],
    ["clock", `${R.clock.fps} frames a second, ${rate} Hz`],
    ["played by", R.mode],
    ["baselines", "fitted to the same pairs of picture and sound as the brains"],
    ["made by", [R.program, ...Object.entries(R.versions).map(([name, value]) => `${name} ${value}`)].join(", ")],
    ["numbers", [el("a", { href: "results.json" }, "results.json"), " ",
      el("a", { href: "results.csv" }, "results.csv")]],
    ["brains", R.brains.map((brain) =>
      el("div", {}, el("a", { href: encodeURI(brain.file) }, brain.file.replace("brains/", ""))))],
  ];
  document.getElementById("made").append(
    el("dl", {}, facts.flatMap(([label, value]) => [el("dt", {}, label), el("dd", {}, value)])),
    ...SOURCES.map((line) => el("p", { class: "quiet" }, line)),
    ...RECIPES.map((recipe) => el("details", {}, el("summary", {}, swatch(recipe), recipe),
      el("pre", {}, JSON.stringify(R.recipes[recipe], null, 1)))));
}

drawLead();
drawDots();
drawDifferences();
drawTable();
drawCurves();
drawDecks();
round = remembered();
drawTrial();
drawMade();
