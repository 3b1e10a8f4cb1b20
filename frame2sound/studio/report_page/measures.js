// Overview, differences, table of measures, and learning curves.

const MAIN_MEASURES = RESULTS.main_measures;

function drawLead() {
  const heldOut = RESULTS.stretches.filter((segment) => segment.kind === "held out");
  const seconds = heldOut.reduce((sum, segment) => sum + segment.to - segment.from, 0);
  const films = new Set(heldOut.map((segment) => segment.film)).size;
  const data = RESULTS.split.kind === "ends" ? `the ends of ${plural(films, "film")}` : plural(films, "film");
  document.getElementById("lead").append(
    ...RECIPES.flatMap((recipe, index) => [
      index ? (index === RECIPES.length - 1 ? " and " : ", ") : "",
      swatch(recipe), el("strong", {}, recipe),
    ]),
    `: ${plural(RESULTS.seeds.length, "seed")} each, rendered as ${RESULTS.mode}, evaluated on ` +
    `${seconds.toFixed(0)} s of ${data} that are not in the training data.`);
}

function drawDots() {
  const shown = MAIN_MEASURES.filter((name) => RECIPES.some((recipe) => RESULTS.figures[recipe][name]));
  document.getElementById("dots").append(...shown.map(dotsOf));
}

function dotsOf(name) {
  const about = RESULTS.about[name];
  const others = Object.keys(RESULTS.figures).filter((group) => !RECIPES.includes(group));
  const marks = others.filter((group) => RESULTS.figures[group][name])
    .map((group) => [group, RESULTS.figures[group][name].mean]);
  const chance = name === "onset_f" ? RECIPES.map((recipe) => RESULTS.figures[recipe].onset_chance) : [];
  if (chance[0]) marks.push(["chance", chance[0].mean]);
  const seeds = RECIPES.flatMap((recipe) => RESULTS.figures[recipe][name]?.seeds ?? []);
  const all = [...marks.map((mark) => mark[1]), ...seeds].filter((value) => value !== null);
  const least = Math.min(0, ...all), most = Math.max(about.unit ? 0 : 1, ...all);
  const left = 190, right = 730, line = 26;
  const x = (value) => left + ((value - least) / (most - least || 1)) * (right - left);
  const bottom = line * RECIPES.length + 14;
  const lanes = [];
  const ticks = marks.sort((one, other) => one[1] - other[1]).map(([group, value]) => {
    const half = group.length * 3 + 6;
    const middle = Math.min(Math.max(x(value), left + half - 30), right + 30 - half);
    let lane = lanes.findIndex((end) => end < middle - half);
    if (lane < 0) lane = lanes.push(0) - 1;
    lanes[lane] = middle + half;
    const y = bottom + 14 + lane * 14;
    return svg("g", {},
      svg("line", { x1: x(value), x2: x(value), y1: 4, y2: y - 10, stroke: "var(--rule)" }),
      svg("text", { x: middle, y, "text-anchor": "middle", class: "faint" }, group));
  });
  const height = bottom + 24 + lanes.length * 14;
  const arrow = about.better === "high" ? "→ better" : about.better === "low" ? "better ←" : "";
  return svg("svg", { viewBox: `0 0 760 ${height}`, role: "img", "aria-label": about.label },
    svg("text", { x: 0, y: 18, style: "font-size: 15px" }, about.label),
    svg("text", { x: 0, y: 36, class: "faint" }, `${arrow}${unit(about)}`),
    ticks,
    RECIPES.map((recipe, index) => {
      const figure = RESULTS.figures[recipe][name];
      if (!figure) return null;
      const y = 12 + index * line;
      return svg("g", { style: `fill: ${colour(recipe)}; stroke: ${colour(recipe)}` },
        svg("title", {}, `${recipe}: ${number(figure.mean, about.decimals)}${unit(about)}`),
        svg("line", { x1: left, x2: right, y1: y, y2: y, stroke: "var(--rule)" }),
        svg("line", { x1: x(figure.mean), x2: x(figure.mean), y1: y - 9, y2: y + 9,
          "stroke-width": 3 }),
        figure.seeds.filter((value) => value !== null).map((value) =>
          svg("circle", { cx: x(value), cy: y, r: 5.5, "fill-opacity": 0.55 })));
    }));
}

function drawDifferences() {
  document.getElementById("interval").textContent = RESULTS.intervals ? aboutIntervals() :
    "An earlier version computed these intervals from blocks of film and seeds, and never from films: " +
    "they are too narrow. Run the command again for others.";
  const pairs = new Map();
  for (const each of RESULTS.differences) {
    const name = `${each.ours}\n${each.theirs}`;
    pairs.set(name, [...(pairs.get(name) ?? []), each]);
  }
  const container = document.getElementById("pairs");
  for (const [measure, reason] of Object.entries(RESULTS.cannot_be_said ?? {}))
    container.append(el("p", {}, `${RESULTS.about[measure].label}: cannot be said: ${reason}.`));
  const isBaseline = (rows) => rows[0].family === "baselines";
  const recipes = [...pairs.values()].filter((rows) => !isBaseline(rows));
  const baselines = [...pairs.values()].filter(isBaseline);
  if (!recipes.length) container.append(el("p", {}, "There is only one recipe, and no other to compare it with."));
  container.append(...recipes.flatMap(differencesOf));
  if (baselines.length) container.append(el("details", { open: !recipes.length },
    el("summary", {}, "Differences from baselines"), baselines.flatMap(differencesOf)));
}

function aboutIntervals() {
  const { level, films, blocks, block_seconds: long, min_seeds: enough, primary } = RESULTS.intervals;
  const units = films > 1 ? `${plural(films, "film")} and ${plural(RESULTS.seeds.length, "seed")}`
    : `${plural(blocks, "block")} of ${long} s of one film and ${plural(RESULTS.seeds.length, "seed")}`;
  const few = films > 1 && films < 5 ? " So few films tell little of others: hold out more." : "";
  const seeds = RESULTS.no_verdict ? ` No verdict can be said: ${RESULTS.no_verdict}.` : "";
  return `${(100 * level).toFixed(0)}\u00a0% intervals over ${units}, which are drawn anew for both alike. ` +
    `With ${enough} seeds or more, a recipe is called better if p is below 0.05. The primary figure is ` +
    `${RESULTS.about[primary].label} of the first two recipes; p of all other differences of recipes, and of ` +
    `all differences from baselines, is corrected for their number by Holm's procedure.${few}${seeds}`;
}

function differencesOf(rows) {
  const { ours, theirs } = rows[0];
  return [
    el("h3", {}, swatch(ours), ours, " minus ", swatch(theirs), theirs),
    el("p", { class: "quiet" }, holdsOf(rows)),
    el("div", { class: "scroll" }, el("table", { class: "forest" }, el("tbody", {}, rows.map(difference))))];
}

// For what the verdicts of a pair hold: that of most, then those that differ.
function holdsOf(rows) {
  const said = rows.map((each) => each.speaks_of).filter(Boolean);
  if (!said.length) return rows[0].no_verdict ? `No verdict can be said: ${rows[0].no_verdict}.` : "";
  const count = (text) => said.filter((other) => other === text).length;
  const most = said.reduce((one, other) => (count(other) > count(one) ? other : one));
  const others = rows.filter((each) => each.speaks_of !== most)
    .map((each) => `; ${RESULTS.about[each.figure].label}: ${each.speaks_of}`);
  return `These verdicts hold ${most}${others.join("")}.`;
}

function probability(value) {
  return value < 0.001 ? "< 0.001" : `= ${value.toFixed(3)}`;
}

function difference(each) {
  const about = RESULTS.about[each.figure], decimals = about.decimals + 1;
  const low = each.low ?? each.difference, high = each.high ?? each.difference;
  const reach = 1.1 * Math.max(Math.abs(low), Math.abs(high), 1e-9);
  const at = (value) => `${50 + (50 * value) / reach}%`;
  const winner = each.better ? `--colour: ${colour(each.better)}` : "";
  const text = `${number(each.difference, decimals, true)}${unit(about)} (` +
    `${number(each.low, decimals, true)} to ${number(each.high, decimals, true)})`;
  const p = each.p === undefined || each.no_verdict ? "" : each.family === "primary"
    ? `p ${probability(each.p)}, primary` : `corrected p ${probability(each.p_corrected)}`;
  const verdict = each.better
    ? [swatch(each.better), `${each.better} is better`]
    : [el("span", { class: "quiet" }, each.no_verdict ? "cannot be said" : "no clear difference")];
  return el("tr", {}, el("th", { title: about.text }, about.label),
    el("td", {}, el("div", { class: "bar", style: winner }, el("i", { class: "zero" }),
      el("i", { class: "span", style: `left: ${at(low)}; width: calc(${at(high)} - ${at(low)})` }),
      el("i", { class: "at", style: `left: ${at(each.difference)}` }))),
    el("td", {}, text), el("td", { class: "quiet" }, p), el("td", {}, verdict));
}

function drawTable() {
  const groups = Object.keys(RESULTS.figures);
  const rows = Object.entries(RESULTS.about).filter(([name]) => groups.some((group) => RESULTS.figures[group][name]));
  const brains = (recipe) => RESULTS.brains.filter((brain) => brain.recipe === recipe);
  const cost = [
    ["parameters", "number of trainable parameters", 0, (brain) => brain.parameters],
    ["training, s", "seconds on this machine", 0, (brain) => brain.seconds],
    ["held-out loss", "at the best epoch; 1 for silence", 3, (brain) =>
      brain.held_out_loss?.[brain.best_epoch - 1]],
  ];
  document.getElementById("table").append(
    el("thead", {}, el("tr", {}, el("th"), groups.map((group) =>
      el("th", { class: RECIPES.includes(group) ? "brain" : "" },
        RECIPES.includes(group) ? swatch(group) : null, group)))),
    el("tbody", {},
      rows.map(([name, about]) => el("tr", {},
        el("th", { title: about.text }, about.label, el("span", { class: "pm" },
          `${unit(about)}${{ high: " ↑", low: " ↓", zero: " → 0" }[about.better] ?? ""}`)),
        groups.map((group) => cell(RESULTS.figures[group][name], about.decimals, group)))),
      cost.map(([label, text, decimals, value]) => el("tr", {}, el("th", { title: text }, label),
        groups.map((group) => cell(summary(brains(group).map(value)), decimals, group))))));
  drawAnimations();
}

function summary(values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  if (!known.length) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const square = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, spread: known.length > 1 ? Math.sqrt(square / (known.length - 1)) : null };
}

function cell(figure, decimals, group) {
  const kind = { class: RECIPES.includes(group) ? "brain" : "" };
  if (!figure) return el("td", kind, "–");
  const known = figure.seeds?.filter((value) => value !== null).length;
  const partly = known < figure.seeds?.length ? ` (${known} of ${figure.seeds.length})` : "";
  const spread = (figure.spread ? ` ± ${figure.spread.toFixed(decimals)}` : "") + partly;
  const text = figure.mean < 10000 ? number(figure.mean, decimals)
    : Math.round(figure.mean).toLocaleString("en");
  return el("td", kind, text, el("span", { class: "pm" }, spread));
}

function drawAnimations() {
  const container = document.getElementById("animations");
  for (const segment of RESULTS.stretches.filter((each) => each.kind === "animation" && each.shown)) {
    const tracks = RESULTS.soundtracks.filter((track) => track.stretches[segment.name]);
    const names = Object.keys(RESULTS.about).filter((name) =>
      tracks.some((track) => (track.stretches[segment.name][name] ?? null) !== null));
    const groups = [...new Set(tracks.map((track) => track.group))];
    container.append(el("details", {},
      el("summary", {}, `The animation ${filmName(segment.film)}, ${segment.from.toFixed(0)} to ${segment.to.toFixed(0)} s`),
      el("div", { class: "scroll" }, el("table", {},
        el("thead", {}, el("tr", {}, el("th"), groups.map((group) => el("th", {}, group)))),
        el("tbody", {}, names.map((name) => el("tr", {}, el("th", {}, RESULTS.about[name].label),
          groups.map((group) => cell(summary(tracks.filter((track) => track.group === group)
            .map((track) => track.stretches[segment.name][name])), RESULTS.about[name].decimals, group)))))))));
  }
}

function drawCurves() {
  document.getElementById("curves").append(...RECIPES.map(curvesOf));
}

function curvesOf(recipe) {
  const brains = RESULTS.brains.filter((brain) => brain.recipe === recipe);
  const epochs = Math.max(2, ...RESULTS.brains.map((brain) => brain.loss.length));
  const all = RESULTS.brains.flatMap((brain) => [...brain.loss, ...brain.held_out_loss])
    .filter((value) => value !== null);
  const most = Math.min(1.6, Math.max(1.1, ...all));
  const x = (epoch) => 34 + ((epoch - 1) / (epochs - 1)) * 336;
  const y = (loss) => 190 - (Math.min(loss, most) / most) * 176;
  const path = (values) => values.map((value, index) => [x(index + 1), value])
    .filter(([, value]) => value !== null)
    .map(([at, value], index) => `${index ? "L" : "M"}${at.toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const ink = colour(recipe), mean = brains[0]?.held_out_loss_of_mean;
  const rule = (value, label) => svg("g", {},
    svg("line", { x1: 34, x2: 370, y1: y(value), y2: y(value), stroke: "var(--quiet)",
      "stroke-dasharray": "3 4", "stroke-width": 0.8 }),
    svg("text", { x: 370, y: y(value) - 4, "text-anchor": "end", class: "faint" }, label));
  return el("figure", { class: "panel", style: "margin: 0" },
    el("figcaption", {}, swatch(recipe), recipe),
    svg("svg", { viewBox: "0 0 380 220", role: "img", "aria-label": `learning curves of ${recipe}` },
      [0, 0.5, 1].map((value) => svg("text", { x: 26, y: y(value) + 4, "text-anchor": "end",
        class: "faint" }, value)),
      svg("line", { x1: 34, x2: 370, y1: 190, y2: 190, stroke: "var(--rule)" }),
      rule(1, "silence"), mean && mean < most && Math.abs(mean - 1) > 0.06 ? rule(mean, "the mean sound") : null,
      svg("text", { x: 34, y: 208, class: "faint" }, "1"),
      svg("text", { x: 370, y: 208, "text-anchor": "end", class: "faint" }, `${epochs} epochs`),
      brains.map((brain) => svg("g", { fill: "none", stroke: ink },
        svg("path", { d: path(brain.loss), "stroke-opacity": 0.3 }),
        svg("path", { d: path(brain.held_out_loss), "stroke-width": 1.8 }),
        brain.best_epoch && (brain.held_out_loss[brain.best_epoch - 1] ?? null) !== null
          ? svg("circle", { cx: x(brain.best_epoch), r: 4,
            cy: y(brain.held_out_loss[brain.best_epoch - 1]) }) : null))));
}
