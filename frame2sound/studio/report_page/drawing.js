// What all parts of the page share: the results, elements, numbers and colours.

const R = JSON.parse(document.getElementById("results").textContent);
const RECIPES = Object.keys(R.recipes);
const OWN = "its own sound";
const SILENT = -200;

function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  return fill(made, attributes, children);
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  return fill(made, attributes, children);
}

function fill(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

function number(value, decimals, signed) {
  if (value === null || value === undefined) return "–";
  if (value <= SILENT) return "silent";
  const text = Math.abs(value).toFixed(decimals);
  const zero = Number(text) === 0;
  const sign = value < 0 && !zero ? "−" : signed && !zero ? "+" : "";
  return sign + text;
}

function colour(group) {
  const place = RECIPES.indexOf(group);
  return place < 0 ? "var(--quiet)" : `var(--c${place % 6})`;
}

function swatch(group) {
  return el("span", { class: "swatch", style: `--colour: ${colour(group)}` });
}

function words(list) {
  return list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
}

function plural(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function clockTime(seconds) {
  const whole = Math.max(0, seconds);
  return `${Math.floor(whole / 60)}:${(whole % 60).toFixed(1).padStart(4, "0")}`;
}

function unit(about) {
  return about.unit ? ` ${about.unit}` : "";
}

// A pickled film is called by its file's name and the beginning of its digest.
function filmName(film) {
  const short = film.replace(/-[0-9a-f]{8}$/, "");
  const films = new Set(R.stretches.map((stretch) => stretch.film));
  const alike = [...films].filter((other) => other.replace(/-[0-9a-f]{8}$/, "") === short);
  return alike.length > 1 ? film : short;
}
