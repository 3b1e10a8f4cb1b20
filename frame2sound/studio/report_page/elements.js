// Shared by all parts of the page: results, elements, numbers and colours.

const RESULTS = JSON.parse(document.getElementById("results").textContent);
const RECIPES = Object.keys(RESULTS.recipes);
const ORIGINAL = "its own sound";
const MINUS_INFINITY_DB = -200;

function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  return fill(element, attributes, children);
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  return fill(element, attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined)
      element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

function number(value, decimals, signed) {
  if (value === null || value === undefined) return "–";
  if (value <= MINUS_INFINITY_DB) return "silent";
  const text = Math.abs(value).toFixed(decimals);
  const zero = Number(text) === 0;
  const sign = value < 0 && !zero ? "−" : signed && !zero ? "+" : "";
  return sign + text;
}

function colour(group) {
  const index = RECIPES.indexOf(group);
  return index < 0 ? "var(--quiet)" : `var(--c${index % 6})`;
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

// The name of a pickled film is that of its file and the first digits of its digest, which are
// shown only if two films have the same name.
function filmName(film) {
  const short = film.replace(/-[0-9a-f]{8}$/, "");
  const films = new Set(RESULTS.stretches.map((segment) => segment.film));
  const sameName = [...films].filter((other) => other.replace(/-[0-9a-f]{8}$/, "") === short);
  return sameName.length > 1 ? film : short;
}
