// The events of a take as they were edited, step by step.

export class EventHistory {
  constructor(events) {
    this.steps = [events];
    this.index = 0;
  }

  get events() {
    return this.steps[this.index];
  }

  get isChanged() {
    return this.index > 0;
  }

  get canRedo() {
    return this.index < this.steps.length - 1;
  }

  // Keeps a new list; what was undone before is forgotten.
  add(events) {
    this.steps = [...this.steps.slice(0, ++this.index), events];
  }

  // Goes some steps back or forward, as far as there are any.
  go(steps) {
    this.index = Math.max(0, Math.min(this.index + steps, this.steps.length - 1));
  }
}
