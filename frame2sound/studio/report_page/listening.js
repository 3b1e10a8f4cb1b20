// Listening: each shown segment with its soundtracks, one below the other.

function drawPlayers() {
  document.getElementById("players").append(...RESULTS.stretches.filter((each) => each.shown).map(playerOf));
}

function tracksOf(segment, seed) {
  const order = [ORIGINAL, ...RECIPES];
  const rank = (track) => (order.indexOf(track.group) + 1 || 99);
  return RESULTS.soundtracks
    .filter((track) => track.stretches[segment.name])
    .filter((track) => track.seed === null || track.seed === seed)
    .filter((track) => track.group !== "silence")
    .sort((one, other) => rank(one) - rank(other));
}

function playerOf(segment) {
  const video = videoOf(segment), list = el("div", { class: "tracks" });
  const description = el("p", { class: "description quiet" }), time = el("span", { class: "quiet" });
  const button = el("button", { class: "main", onclick: () => player.toggle() }, "Play");
  let rows = new Map(), player = null;

  function show(seed) {
    const tracks = tracksOf(segment, seed), chosen = player && player.chosenGroup();
    const before = player && { position: player.currentTime(), playing: player.playing };
    if (player) player.unload();
    player = new SyncedPlayer(video, new Map(tracks.map((track) =>
      [track.player, { src: mediaUrl(segment.name, track.player) }])), { onChange: update });
    player.chosenGroup = () => tracks.find((track) => track.player === player.chosen)?.group;
    const length = segment.to - segment.from;
    rows = new Map(tracks.map((track) => [track.player, rowOf(track)]));
    list.replaceChildren(
      el("div", { class: "events" }, (segment.onsets ?? []).map((onset) =>
        el("i", { style: `left: ${(100 * onset) / length}%` }))),
      ...rows.values());
    const next = tracks.find((track) => track.group === chosen)
      ?? tracks.find((track) => RECIPES.includes(track.group));
    if (next) player.choose(next.player);
    if (before) player.seek(before.position);
    if (before?.playing) player.play();
    update();
  }

  function rowOf(track) {
    const spectrogram = el("div", { class: "spectrogram", onclick: (event) => {
      const box = spectrogram.getBoundingClientRect();
      player.choose(track.player);
      player.seek(((event.clientX - box.left) / box.width) * (segment.to - segment.from));
    } }, el("img", { src: mediaUrl(segment.name, track.player, "webp"), alt: "", loading: "lazy" }),
    el("i"));
    return el("div", { class: "track" },
      el("button", { onclick: () => player.choose(track.player) },
        RECIPES.includes(track.group) ? swatch(track.group) : null, track.group), spectrogram);
  }

  function update() {
    if (!player) return;
    button.textContent = player.playing ? "Pause" : "Play";
    const now = player.currentTime(), length = segment.to - segment.from;
    time.textContent = `${clockTime(now)} of ${clockTime(length)}`;
    for (const [key, row] of rows) {
      const on = key === player.chosen;
      row.classList.toggle("on", on);
      row.firstChild.setAttribute("aria-pressed", on);
      row.lastChild.lastChild.style.left = `${(100 * now) / length}%`;
    }
    const track = RESULTS.soundtracks.find((each) => each.player === player.chosen);
    description.textContent = track ? measuresOf(track.stretches[segment.name]) : "";
  }

  const seeds = RESULTS.seeds.length < 2 ? null : el("label", {}, "seed ",
    el("select", { "aria-label": "seed", onchange: (event) => show(Number(event.target.value)) },
      RESULTS.seeds.map((seed) => el("option", { value: seed }, seed))));
  video.addEventListener("click", () => player.toggle());
  const card = el("div", { class: "player panel", tabindex: 0, onkeydown: (event) => {
    if (event.target !== card) return;
    const keys = [...rows.keys()];
    if (event.key === " ") player.toggle();
    else if (event.key === "ArrowRight") player.seek(player.currentTime() + 1);
    else if (event.key === "ArrowLeft") player.seek(player.currentTime() - 1);
    else if (keys[Number(event.key) - 1]) player.choose(keys[Number(event.key) - 1]);
    else return;
    event.preventDefault();
  } },
  el("div", {}, video, el("div", { class: "transport" }, button, time, seeds), description), list);
  show(RESULTS.seeds[0]);
  const from = segment.from || segment.to > 30
    ? `, from ${segment.from.toFixed(0)} to ${segment.to.toFixed(0)} s` : "";
  const kind = segment.kind === "animation" ? ", an animation" : "";
  return el("article", {}, el("h3", {}, filmName(segment.film) + kind + from), card);
}

function measuresOf(values) {
  return MAIN_MEASURES.filter((name) => (values[name] ?? null) !== null)
    .map((name) => `${RESULTS.about[name].label} ${number(values[name], RESULTS.about[name].decimals)}` +
      unit(RESULTS.about[name])).join(" · ");
}

function mediaUrl(segmentName, name, ending = "m4a") {
  return `media/${encodeURIComponent(segmentName)}/${encodeURIComponent(name)}.${ending}`;
}

function videoOf(segment) {
  return el("video", { src: mediaUrl(segment.name, "picture", "mp4"), preload: "auto",
    muted: true, playsinline: true });
}
