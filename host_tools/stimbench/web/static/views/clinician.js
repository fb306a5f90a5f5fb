// The programme and sessions.

import { button, el, field } from "../dom.js";

export const title = "Clinician";

export function mount(host, bench) {
  const [leftLabel, left] = field("Left amplitude (µA)", "clinician-left-amplitude", { type: "number", min: 0, max: 10000, step: 25, value: 2000 });
  const [rightLabel, right] = field("Right amplitude (µA)", "clinician-right-amplitude", { type: "number", min: 0, max: 10000, step: 25, value: 2000 });
  const start = button("Start a session", () => bench.attempt(begin()), { id: "clinician-start" });
  async function begin() {
    await bench.do("amplitude", { left_ua: left.valueAsNumber, right_ua: right.valueAsNumber });
    return bench.do("start");
  }
  host.append(el("h2", {}, title), el("fieldset", { class: "hands" },
    el("div", { class: "form" }, leftLabel, left, rightLabel, right, start)));
}

export function update(_state, _whole) {}
