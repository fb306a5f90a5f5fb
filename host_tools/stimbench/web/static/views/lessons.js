import { el } from "../dom.js";

export const title = "Lessons";

export function mount(host, _bench) {
  host.append(el("h2", {}, title));
}

export function update(_state, _whole) {}
