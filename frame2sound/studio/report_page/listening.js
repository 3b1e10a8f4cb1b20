// Listening: each stretch with all its soundtracks, one below the other, under one playhead.

function drawDecks() {
  document.getElementById("decks").append(...R.stretches.filter((each) => each.shown).map(deckOf));
}

function tracksOf(stretch, seed) {
  const order = [OWN, ...RECIPES];
  const rank = (track) => (order.indexOf(track.group) + 1 || 99);
  return R.soundtracks
    .filter((track) => track.stretches[stretch.name])
    .filter((track) => track.seed === null || track.seed === seed)
    .filter((track) => track.group !== "silence")
    .sort((one, other) => rank(one) - rank(other));
}

function deckOf(stretch) {
  const video = film(stretch), list = el("div", { class: "tracks" });
  const said = el("p", { class: "said quiet" }), time = el("span", { class: "quiet" });
  const button = el("button", { class: "main", onclick: () => deck.toggle() }, "Play");
  let rows = new Map(), deck = null;

  function show(seed) {
    const tracks = tracksOf(stretch, seed), chosen = deck && deck.chosenGroup();
    const before = deck && { at: deck.now(), playing: deck.playing };
    if (deck) deck.unload();
    deck = new Deck(video, new Map(tracks.map((track) =>
      [track.player, { src: media(stretch.name, track.player) }])), { watch });
    deck.chosenGroup = () => tracks.find((track) => track.player === deck.chosen)?.group;
    const length = stretch.to - stretch.from;
    rows = new Map(tracks.map((track) => [track.player, rowOf(track)]));
    list.replaceChildren(
      el("div", { class: "events" }, (stretch.onsets ?? []).map((onset) =>
        el("i", { style: `left: ${(100 * onset) / length}%` }))),
      ...rows.values());
    const again = tracks.find((track) => track.group === chosen)
      ?? tracks.find((track) => RECIPES.includes(track.group));
    if (again) deck.choose(again.player);
    if (before) deck.seek(before.at);
    if (before?.playing) deck.play();
    watch();
  }

  function rowOf(track) {
    const shot = el("div", { class: "shot", onclick: (event) => {
      const box = shot.getBoundingClientRect();
      deck.choose(track.player);
      deck.seek(((event.clientX - box.left) / box.width) * (stretch.to - stretch.from));
    } }, el("img", { src: media(stretch.name, track.player, "webp"), alt: "", loading: "lazy" }),
    el("i"));
    return el("div", { class: "track" },
      el("button", { onclick: () => deck.choose(track.player) },
        RECIPES.includes(track.group) ? swatch(track.group) : null, track.group), shot);
  }

  function watch() {
    if (!deck) return;
    button.textContent = deck.playing ? "Pause" : "Play";
    const now = deck.now(), length = stretch.to - stretch.from;
    time.textContent = `${clockTime(now)} of ${clockTime(length)}`;
    for (const [player, row] of rows) {
      const on = player === deck.chosen;
      row.classList.toggle("on", on);
      row.firstChild.setAttribute("aria-pressed", on);
      row.lastChild.lastChild.style.left = `${(100 * now) / length}%`;
    }
    const track = R.soundtracks.find((each) => each.player === deck.chosen);
    said.textContent = track ? figuresOf(track.stretches[stretch.name]) : "";
  }

  const seeds = R.seeds.length < 2 ? null : el("label", {}, "seed ",
    el("select", { "aria-label": "seed", onchange: (event) => show(Number(event.target.value)) },
      R.seeds.map((seed) => el("option", { value: seed }, seed))));
  video.addEventListener("click", () => deck.toggle());
  const card = el("div", { class: "deck panel", tabindex: 0, onkeydown: (event) => {
    if (event.target !== card) return;
    const players = [...rows.keys()];
    if (event.key === " ") deck.toggle();
    else if (event.key === "ArrowRight") deck.seek(deck.now() + 1);
    else if (event.key === "ArrowLeft") deck.seek(deck.now() - 1);
    else if (players[Number(event.key) - 1]) deck.choose(players[Number(event.key) - 1]);
    else return;
    event.preventDefault();
  } },
  el("div", {}, video, el("div", { class: "transport" }, button, time, seeds), said), list);
  show(R.seeds[0]);
  const from = stretch.from || stretch.to > 30
    ? `, from ${stretch.from.toFixed(0)} to ${stretch.to.toFixed(0)} s` : "";
  const kind = stretch.kind === "animation" ? ", an animation" : "";
  return el("article", {}, el("h3", {}, filmName(stretch.film) + kind + from), card);
}

function figuresOf(figures) {
  return MAIN.filter((name) => (figures[name] ?? null) !== null)
    .map((name) => `${R.about[name].label} ${number(figures[name], R.about[name].decimals)}` +
      unit(R.about[name])).join(" · ");
}
