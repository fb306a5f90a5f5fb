// Two cursors over both panes, and what lies between them.

import { el, field, setText } from "./dom.js";
import { microamps, time, volts } from "./units.js";

const NAMES = ["A", "B"];
const LEADS = ["Left", "Right"];

export class Cursors {
  constructor(host, panes) {
    this.panes = panes;
    this.at = [null, null];
    this.inputs = NAMES.map((name, k) => {
      const [label, input] = field(`Cursor ${name} (µs)`, `scope-cursor-${name.toLowerCase()}`, {
        type: "number", step: "any", oninput: () => this.set(k, input.value === "" ? null : input.valueAsNumber * 1e3),
      });
      host.append(label, input);
      return input;
    });
    this.told = el("output", { id: "scope-cursors", class: "cursors" });
    host.append(this.told);
  }

  /** Put cursor 0 (A) or 1 (B) at x ns; null takes it away. */
  set(k, x) {
    this.at[k] = x;
    const text = x === null ? "" : String(Math.round(x) / 1e3);
    if (document.activeElement !== this.inputs[k]) this.inputs[k].value = text;
    for (const pane of this.panes) {
      pane.cursors = this.at;
      pane.plot.redraw(false, false);
    }
    this.read();
  }

  /** Say what is at the cursors. */
  read() {
    const [a, b] = this.at;
    if (a === null && b === null) {
      setText(this.told, "Click: cursor A. Shift-click: cursor B.");
      return;
    }
    const parts = a !== null && b !== null ? [`B - A: ${time(b - a)}`] : [];
    this.panes.forEach((pane, lead) => {
      for (const [quantity, text] of [[0, microamps], [1, volts]]) {
        const values = this.at.map((x) => (x === null ? null : pane.valueAt(quantity, x)));
        const known = values.map((one, k) => (one === null ? null : `${NAMES[k]} ${text(one)}`)).filter((one) => one !== null);
        if (known.length) parts.push(`${LEADS[lead]}: ${known.join(", ")}`);
      }
    });
    setText(this.told, parts.join("; "));
  }
}
