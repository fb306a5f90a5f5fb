// The run: marks, actions, links. It is its seed and its actions, so it can be repeated to the edge.

import { button, el, field, setText } from "../dom.js";
import { reason } from "../controls.js";
import { saveRun } from "../export.js";
import { clock } from "../units.js";
import { mountSaved, said, updateSaved } from "./run_saved.js";

export const title = "Run";
let bench, marks, list, count, linkBox, later, told;

export function mount(host, theBench) {
  bench = theBench;
  if (bench.saved) return mountSaved(host, bench);
  marks = el("ul", { id: "run-marks" });
  list = el("ol", { id: "run-actions", tabindex: "0", "aria-label": "Actions" });
  count = el("span", { id: "run-count" });
  const [linkLabel, link] = field("Link to a run", "run-link", { type: "text", spellcheck: "false", autocomplete: "off" });
  linkBox = link;
  const [seedLabel, seed] = field("Seed", "run-seed", { type: "number", min: 0, value: 1 });
  const [pairedLabel, paired] = field("Remote is paired", "run-paired", { type: "checkbox", checked: true });
  const [laterLabel, laterBox] = field("What came later is done again", "run-later", { type: "checkbox" });
  later = laterBox;
  const open = () => bench.withRun("open", { link: link.value.split("#run=").at(-1).trim() });
  const why = bench.lacks.needs.repeating;
  if (why) {
    host.append(el("h2", {}, title), reason(why, "lacks-run"), el("h3", {}, "Actions ", count), list);
    bench.addEventListener("run", show);
    show();
    return;
  }
  host.append(
    el("h2", {}, title),
    el("p", { class: "bar" }, button("Link to this run", () => copy(), { id: "run-copy" }),
      button("Save this run as a page", keep, { id: "run-save" })),
    el("fieldset", { class: "hands" },
      el("h3", {}, "Marks"),
      button("Mark this instant", () => bench.attempt(bench.withRun("mark")), { id: "run-mark" }), marks,
      el("h3", {}, "Another run"),
      el("div", { class: "form" }, linkLabel, link, button("Repeat the run of this link", () => bench.attempt(open()), { id: "run-open" }),
        seedLabel, seed, pairedLabel, paired,
        button("Begin anew", () => bench.attempt(bench.withRun("new", { seed: seed.valueAsNumber, paired: paired.checked })), { id: "run-new" })),
      el("h3", {}, "Actions ", count), el("div", { class: "form" }, laterLabel, later), list));
  bench.addEventListener("run", show);
  show();
  const given = location.hash.startsWith("#run=") ? location.href : "";
  if (given) link.value = given;
}

export function update(_state, whole) {
  if (bench.saved) updateSaved(whole.t_ns);
}

/** Whoever looks may: it changes nothing. */
async function keep({ currentTarget: pressed }) {
  pressed.disabled = true;
  bench.say("The run is being saved.");
  await bench.attempt(saveRun());
  pressed.disabled = false;
  pressed.focus();
}

async function copy() {
  const found = await bench.attempt(bench.withRun("link"));
  if (!found) return;
  linkBox.value = `${location.origin}/#run=${found.link}`;
  linkBox.select();
  try {
    await navigator.clipboard.writeText(linkBox.value);
    bench.say("The link was copied.");
  } catch {
    bench.say("The link is in the field: copy it from there.");
  }
}

function show() {
  const { run } = bench;
  const now = JSON.stringify(run);
  if (now === told) return;
  told = now;
  setText(count, `(${run.count})`);
  marks.replaceChildren(...run.marks.map((mark) => el("li", {}, `${mark.number}: ${clock(mark.t_ns)} `,
    button("Rewind", () => bench.attempt(bench.withRun("rewind", { mark: mark.number })), { "aria-label": `Rewind to mark ${mark.number}` }))));
  list.start = run.first + 1;
  list.replaceChildren(...run.actions.map(([t, name, args], k) => el("li", {},
    el("span", {}, `${clock(t)} ${name} ${said(args)} `),
    bench.lacks.needs.repeating ? null
      : button("What if I had not", () => without(run.first + k), { "aria-label": `What if I had not: ${name} at ${clock(t)}` }))));
}

function without(action) {
  return bench.attempt(bench.withRun("what-if", { action, keep_later: later.checked }));
}
