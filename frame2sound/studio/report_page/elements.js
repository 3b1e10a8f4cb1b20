// Shared by all parts of the page: results, numbers and colours.

const RESULTS = JSON.parse(document.getElementById("results").textContent);
const RECIPES = Object.keys(RESULTS.recipes);
const ORIGINAL = "its own sound";
const MINUS_INFINITY_DB = -200;

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
