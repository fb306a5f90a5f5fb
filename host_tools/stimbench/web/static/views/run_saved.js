// The view "run" of a saved run: what it is, its link, and its actions to jump to.

import { button, el, field } from "../dom.js";
import { clock } from "../units.js";

let items = [];

/** An action's arguments as a text. */
export function said(args) {
  return Object.values(args).filter((one) => one !== null).map((one) => (typeof one === "object" ? JSON.stringify(one) : one)).join(" ");
}

function firmwareOf(one) {
  return one ? `${one.version}, build ${one.build}, SHA-256 ${one.sha256}` : "not known";
}

export function mountSaved(host, bench) {
  const { facts, run } = bench;
  const { seed, paired, tolerance } = facts.config;
  const rows = [
    ["Bench time", clock(bench.end)],
    ["Seed", seed],
    ["Remote", paired ? "paired at the begin" : "not paired at the begin"],
    ["Parts", typeof tolerance === "number" ? `drawn from their tolerances, seed ${tolerance}` : tolerance],
    ["stimbench", facts.stimbench],
    ["Stimulator's firmware", firmwareOf(facts.firmware.stimulator)],
    ["Remote's firmware", firmwareOf(facts.firmware.remote)],
  ];
  const [linkLabel, link] = field("stimbench serve --run with this link repeats it:", "run-saved-link", {
    type: "text", readonly: true, value: facts.link, onfocus: () => link.select(),
  });
  items = run.actions.map(([t, name, args]) => ({ t, item: el("li", {},
    el("span", {}, `${clock(t)} ${name} ${said(args)} `),
    button("Go there", () => bench.seek(t), { "aria-label": `Go there: ${name} at ${clock(t)}` })) }));
  const marks = run.marks.map((mark) => el("li", {}, `${mark.number}: ${clock(mark.t_ns)} `,
    button("Go there", () => bench.seek(mark.t_ns), { "aria-label": `Go there: mark ${mark.number}` })));
  host.append(
    el("h2", {}, "Run"),
    el("dl", { class: "saved-facts" }, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))])),
    el("p", {}, linkLabel, link),
    ...(marks.length ? [el("h3", {}, "Marks"), el("ul", { id: "run-marks" }, ...marks)] : []),
    el("h3", {}, `Actions (${run.count})`),
    el("ol", { id: "run-actions", tabindex: "0", "aria-label": "Actions" }, ...items.map(({ item }) => item)));
}

/** The last action that was done by then is marked. */
export function updateSaved(t) {
  const done = items.filter((one) => one.t <= t).at(-1);
  for (const one of items) {
    if (one === done) one.item.setAttribute("aria-current", "step");
    else one.item.removeAttribute("aria-current");
  }
}
