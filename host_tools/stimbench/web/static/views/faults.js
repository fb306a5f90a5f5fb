import { el, setText } from "../dom.js";

export const title = "Break it";
let list;

export function mount(host, _bench) {
  list = el("p", { id: "broken" });
  host.append(el("h2", {}, title), list);
}

export function update(state, _whole) {
  setText(list, (state.broken || []).join(", ") || "Nothing is broken.");
}
