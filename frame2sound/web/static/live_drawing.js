// Shows drawings as they come, in the window or the full screen, and plays the sound in time with them.

const IDLE_MS = 3000;
const MAX_APART_SECONDS = 0.15; // farther from the drawing, the sound jumps to it

const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const drawing = byId("drawing");
const audio = new Audio();
let strokes = [];

function show(latest) {
  strokes = latest;
  const paths = drawing.children;
  while (paths.length > strokes.length) drawing.lastChild.remove();
  while (paths.length < strokes.length)
    drawing.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  strokes.forEach(([line, width, colour], number) => {
    paths[number].setAttribute("d", line);
    paths[number].setAttribute("stroke-width", width);
    paths[number].setAttribute("stroke", root.classList.contains("dark") ? onBlack(colour) : colour);
  });
}

// The same hue, light on black: full ink is as far from black as it was from white.
function onBlack(colour) {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const turn = 255 - Math.max(...parts) - Math.min(...parts);
  return `rgb(${parts.map((part) => part + turn).join(" ")})`;
}

function say(text) {
  byId("state").textContent = text;
  wake();
}

function connect() {
  const stream = new EventSource("/drawing");
  stream.addEventListener("about", (event) => {
    const { name, sound } = JSON.parse(event.data);
    byId("name").textContent = `${name}:`;
    document.title = `${name} live`;
    byId("sound").hidden = !sound;
    if (sound && !audio.src) audio.src = "/sound";
    say("the drawing shows the last second, half a second late");
  });
  stream.addEventListener("drawing", (event) => {
    const { at, strokes: latest } = JSON.parse(event.data);
    show(latest);
    follow(at);
  });
  stream.addEventListener("end", () => {
    stream.close();
    audio.pause();
    say("the drawing has ended");
  });
  stream.onerror = () => say(stream.readyState === EventSource.CLOSED
    ? "this page is of an earlier command; open the address that the new one has printed"
    : "the command does not answer; trying again…");
}

function follow(seconds) {
  if (!isOn("sound") || audio.seeking) return;
  if (Math.abs(audio.currentTime - seconds) > MAX_APART_SECONDS) audio.currentTime = Math.max(seconds, 0);
  if (audio.paused && seconds >= 0) audio.play().catch(() => setOn("sound", false));
}

const isOn = (id) => byId(id).getAttribute("aria-pressed") === "true";
const setOn = (id, on) => byId(id).setAttribute("aria-pressed", String(on));

function setDark(on) {
  setOn("dark", on);
  root.classList.toggle("dark", on);
  show(strokes);
}

function toggleDark() {
  setDark(!isOn("dark"));
  localStorage.setItem("dark", String(isOn("dark")));
}

function toggleFull() {
  if (document.fullscreenElement) document.exitFullscreen();
  else root.requestFullscreen().catch(() => say("this browser does not show it in full screen"));
}

function toggleSound() {
  if (byId("sound").hidden) return;
  setOn("sound", !isOn("sound"));
  if (isOn("sound")) audio.play().catch(() => setOn("sound", false));
  else audio.pause();
}

let idle;
function wake() {
  root.classList.remove("idle");
  clearTimeout(idle);
  idle = setTimeout(() => root.classList.add("idle"), IDLE_MS);
}

const actions = { full: toggleFull, dark: toggleDark, sound: toggleSound };
for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
addEventListener("keydown", (event) => {
  wake();
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const id = { f: "full", d: "dark", s: "sound" }[event.key.toLowerCase()];
  if (id) actions[id]();
});
addEventListener("pointermove", wake);
addEventListener("pointerdown", wake);
document.addEventListener("fullscreenchange", () => setOn("full", Boolean(document.fullscreenElement)));
audio.addEventListener("error", () => {
  setOn("sound", false);
  byId("sound").hidden = true;
});

const kept = localStorage.getItem("dark");
setDark(kept === null ? matchMedia("(prefers-color-scheme: dark)").matches : kept === "true");
wake();
connect();
