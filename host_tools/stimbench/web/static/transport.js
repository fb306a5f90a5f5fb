// How time passes: pace, pause, steps.

import { button, el, field, setText } from "./dom.js";

const SPEEDS = [["1", "1x, real time"], ["0.5", "0.5x"], ["0.1", "0.1x"], ["0.01", "0.01x"], ["0.001", "0.001x"], ["0", "as fast as it can"]];

export class TransportBar {
  constructor(host, bench) {
    const [label, speed] = field("Pace", "pace", { options: SPEEDS, onchange: () => bench.pace({ speed: Number(speed.value) }) });
    const pause = button("Pause", () => bench.pace({ paused: !bench.state.pace.paused }), { id: "pause", "aria-pressed": "false" });
    const step = button("Step a pulse", () => bench.pace({ step: "pulse" }), { id: "step" });
    const measured = el("span", { class: "measured", id: "measured" });
    host.append(label, speed, pause, step, measured);
    bench.addEventListener("state", () => {
      const { pace } = bench.state;
      pause.setAttribute("aria-pressed", String(Boolean(pace.paused)));
      setText(pause, pace.paused ? "Go on" : "Pause");
      const value = String(pace.factor ?? 0);
      if (document.activeElement !== speed && speed.value !== value) speed.value = value;
      setText(measured, pace.paused ? "stands still" : pace.measured ? `${pace.measured.toFixed(2)}x` : "");
    });
    const gate = () => {
      for (const one of [speed, pause, step]) one.disabled = !bench.holds || Boolean(bench.lacks.needs.pace);
    };
    const why = el("span", { class: "lacks", id: "transport-lacks" });
    host.append(why);
    bench.addEventListener("control", gate);
    bench.addEventListener("table", () => {
      setText(why, bench.lacks.needs.pace);
      gate();
    });
  }
}
