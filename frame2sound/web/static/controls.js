// Controls as sliders with their units; one that was not touched is left to the program.

import { el } from "./dom.js";

const STEPS = 1000;

function toSlider(control, value) {
  const { low, high } = control;
  const share = control.is_log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  return Math.round(share * STEPS);
}

function fromSlider(control, place) {
  const { low, high } = control, share = place / STEPS;
  const value = control.is_log ? low * (high / low) ** share : low + (high - low) * share;
  return Math.min(high, Math.max(low, Number(value.toPrecision(3))));
}

export class Controls {
  constructor(controls) {
    this.values = {};
    this.rows = new Map(controls.map((control) => [control.name, this.rowOf(control)]));
    const titles = { sound: "Sound", mosaic: "Mosaic", granular: "Grains" };
    this.groups = Object.fromEntries(Object.entries(titles).map(([group, text]) => [group,
      el("details", { class: "controls", open: group === "sound" }, el("summary", {}, text),
        el("div", { class: "sliders" }, controls.filter((each) => each.group === group)
          .map((each) => this.rows.get(each.name).element)))]));
  }

  get elements() {
    return Object.values(this.groups);
  }

  showMode(mode) {
    this.groups.mosaic.hidden = mode !== "mosaic";
    this.groups.granular.hidden = mode !== "granular";
    if (this.groups[mode]) this.groups[mode].open = true;
  }

  rowOf(control) {
    const id = `control-${control.name}`, unit = control.unit;
    const slider = el("input", { type: "range", id, min: 0, max: STEPS, step: 1, value: toSlider(control, control.default) });
    const number = el("input", { type: "number", min: control.low, max: control.high, step: "any",
      "aria-label": `${control.label}, ${unit || "number"}`, placeholder: "auto" });
    const reset = el("button", { type: "button", class: "small", hidden: true, "aria-label": `Reset ${control.label}`,
      onclick: () => { this.set(control.name, null); slider.focus(); } }, "Reset");
    slider.addEventListener("input", () => this.set(control.name, fromSlider(control, Number(slider.value))));
    number.addEventListener("change", () => {
      const value = number.value === "" ? null : Math.min(control.high, Math.max(control.low, Number(number.value)));
      this.set(control.name, value);
    });
    const element = el("div", { class: "control" }, el("label", { for: id }, control.label), slider,
      el("span", { class: "value" }, number, el("span", { class: "quiet" }, unit)), reset);
    const show = (value) => {
      slider.value = toSlider(control, value ?? control.default);
      slider.setAttribute("aria-valuetext", value === null ? "automatic" : `${value} ${unit}`.trim());
      number.value = value ?? "";
      reset.hidden = value === null;
    };
    show(null);
    return { element, show };
  }

  set(name, value) {
    if (value === null) delete this.values[name];
    else this.values[name] = value;
    this.rows.get(name)?.show(value);
  }

  setAll(values) {
    for (const name of this.rows.keys()) this.set(name, values[name] ?? null);
  }
}
