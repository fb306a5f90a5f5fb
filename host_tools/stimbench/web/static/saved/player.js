// How a saved run is played: the time, its pace, steps.

import { button, el, field, setText } from "../dom.js";
import { clock } from "../units.js";

const PACES = [["1", "1x"], ["0.5", "0.5x"], ["0.1", "0.1x"], ["0.01", "0.01x"], ["0.001", "0.001x"],
  ["4", "4x"], ["16", "16x"], ["60", "60x"]];
const KEYS_S = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

export class PlayBar {
  constructor(host, bench) {
    const play = button("Play", () => bench.play(!bench.playing), { id: "play-go" });
    const [label, pace] = field("Pace", "play-pace", { options: PACES, onchange: () => { bench.factor = Number(pace.value); } });
    const [atLabel, at] = field("Go to (s)", "play-at", {
      type: "number", min: 0, max: bench.end / 1e9, step: "any",
      onchange: () => at.value !== "" && bench.seek(at.valueAsNumber * 1e9),
    });
    const slider = el("input", {
      type: "range", id: "play-time", min: 0, max: Math.max(1, bench.end), step: "any", value: 0, "aria-label": "Time of the run",
      oninput: () => bench.seek(slider.valueAsNumber),
      onkeydown: (event) => {
        if (!(event.key in KEYS_S)) return; // Home and End are the slider's own
        event.preventDefault();
        bench.seek(bench.t + KEYS_S[event.key] * 1e9);
      },
    });
    host.append(play, label, pace,
      button("Pulse before", () => bench.step(-1), { id: "play-back" }),
      button("Next pulse", () => bench.step(1), { id: "play-step" }),
      slider, el("span", { id: "play-end" }, `of ${clock(bench.end)}`), atLabel, at);
    bench.addEventListener("state", () => {
      setText(play, bench.playing ? "Pause" : "Play");
      slider.value = bench.t;
      slider.setAttribute("aria-valuetext", `${clock(bench.t)} of ${clock(bench.end)}`);
    });
  }
}
