// The stimulator and the remote.

import { button, el, setText } from "../dom.js";

export const title = "Boards";
let magnet, lights;

export function mount(host, bench) {
  magnet = button("Hold the magnet", () => bench.attempt(bench.do("magnet", { state: magnet.dataset.on === "true" ? "off" : "on" })), { id: "magnet" });
  lights = el("p", { id: "lights" });
  const press = (name) => button(name, () => bench.attempt(bench.do("press", { button: name })), { id: `press-${name}` });
  host.append(el("h2", {}, title), el("fieldset", { class: "hands" },
    magnet, el("h3", {}, "Remote"), press("START"), press("STOP"), press("STATUS")), lights);
}

export function update(state, _whole) {
  if (!state.boards) return;
  magnet.dataset.on = String(state.magnet);
  setText(magnet, state.magnet ? "Take the magnet away" : "Hold the magnet");
  const lit = Object.entries(state.boards).flatMap(([board, one]) =>
    Object.entries(one.lights).filter(([, on]) => on).map(([lamp]) => `${board} ${lamp}`));
  setText(lights, lit.length ? `Lit: ${lit.join(", ")}` : "No light is on.");
}
