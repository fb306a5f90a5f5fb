// Two cursors over both panes, and what lies between them.

import { el, field, setText } from "./dom.js";
import { microamps, time, volts } from "./units.js";

const NAMES = ["A", "B"];
const ROWS = [["Left current", 0, 0, microamps], ["Left voltage", 0, 1, volts],
  ["Right current", 1, 0, microamps], ["Right voltage", 1, 1, volts]];

export class Cursors {
  constructor(host, panes) {
    this.panes = panes;
    this.at = [null, null];
    const bar = el("div", { class: "bar" });
    this.inputs = NAMES.map((name, k) => {
      const [label, input] = field(`Cursor ${name} (µs)`, `scope-cursor-${name.toLowerCase()}`, {
        type: "number", step: "any", oninput: () => this.set(k, input.value === "" ? null : input.valueAsNumber * 1e3),
      });
      bar.append(label, input);
      return input;
    });
    this.difference = el("output", { id: "scope-cursors" });
    bar.append(this.difference);
    this.cells = ROWS.map(([label]) => [el("th", { scope: "row" }, label), ...NAMES.map(() => el("td")), el("td")]);
    this.table = el("table", { id: "scope-at-cursors", class: "cursors", hidden: true },
      el("caption", {}, "At the cursors"),
      el("thead", {}, el("tr", {}, el("td"), ...[...NAMES, "B - A"].map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, ...this.cells.map((cells) => el("tr", {}, ...cells))));
    host.append(bar, this.table);
  }

  /** Put cursor 0 (A) or 1 (B) at x ns; null takes it away. */
  set(k, x) {
    this.at[k] = x;
    const text = x === null ? "" : String(Math.round(x) / 1e3);
    if (document.activeElement !== this.inputs[k] || x === null) this.inputs[k].value = text;
    for (const pane of this.panes) {
      pane.cursors = this.at;
      pane.plot.redraw(false, false);
    }
    this.read();
  }

  /** Say what is at the cursors. */
  read() {
    const [a, b] = this.at;
    this.table.hidden = a === null && b === null;
    setText(this.difference, a !== null && b !== null ? `B - A: ${time(b - a)}` : this.table.hidden ? "Click: cursor A. Shift-click: cursor B." : "");
    if (this.table.hidden) return;
    ROWS.forEach(([, lead, quantity, text], row) => {
      const values = this.at.map((x) => (x === null ? null : this.panes[lead].valueAt(quantity, x)));
      const both = values[0] !== null && values[1] !== null;
      [...values, both ? values[1] - values[0] : null].forEach((one, k) => setText(this.cells[row][k + 1], one === null ? "–" : text(one)));
    });
  }
}
