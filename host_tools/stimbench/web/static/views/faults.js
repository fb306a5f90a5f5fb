// Break it: what can be broken, what that stands for, and what the device did then.

import { button, el, field, setText } from "../dom.js";
import { clock, milliseconds } from "../units.js";

export const title = "Break it";

/** The board's log is read when so much of the bench's time has passed since a fault. */
const READ_AFTER_NS = 2.5e9;
const SETTLED_NS = 1e9;
/** A lead that pulsed so lately still does: the lowest rate is 1 Hz. */
const FLOWS_NS = 1.5e9;
const FIELDS = ["part", "fault", "value"];

let bench, table;
const parts = {},
  shown = new Map(),
  asked = new Map();

export function mount(host, theBench) {
  bench = theBench;
  table = bench.actions["faults-break"].schema.table;
  host.append(
    el("h2", {}, title),
    form(),
    el("h3", {}, "What it stands for"),
    standsFor(),
    el("h3", {}, "Broken now"),
    brokenNow(),
    el("h3", {}, "What happened"),
    el(
      "p",
      { class: "faults-note" },
      "A board on the bench measures its pulses, and judges its parts before a session. An implanted " +
        "one judges each pulse too, and ends what it finds; it does not tell its journal before the " +
        "output is off. Current is what crosses tissue: test pulses through one electrode's switches do " +
        "not count.",
    ),
    el("p", { class: "faults-note" }, "Frames are replayed and forged in the view Radio."),
    (parts.happened = el("div", { id: "faults-happened" })),
    (parts.nothing = el("p", {}, "Nothing was broken in this run.")),
  );
  choosePart();
}

export function update(state, whole) {
  if (!state.broken) return;
  showBroken(state);
  showHappened(state, whole);
}

// What is to be broken.

function form() {
  const [partLabel, part] = field("Part", "faults-part", {
    options: [],
    onchange: choosePart,
    "aria-describedby": "faults-part-refused",
  });
  const [faultLabel, fault] = field("Fault", "faults-fault", {
    options: [],
    onchange: chooseFault,
    "aria-describedby": "faults-fault-refused",
  });
  const groups = new Map();
  for (const { name, title: text, group } of table.parts) {
    if (!groups.has(group)) groups.set(group, el("optgroup", { label: group }));
    groups.get(group).append(el("option", { value: name }, text));
  }
  part.append(...groups.values());
  Object.assign(parts, { part, fault, valueRow: el("div", { class: "faults-row", id: "faults-value-row" }) });
  const refused = (name) =>
    (parts[`${name}Refused`] = el("p", { id: `faults-${name}-refused`, class: "refused", role: "alert" }));
  return el(
    "form",
    { class: "faults-form", onsubmit: submit, novalidate: true },
    el("div", { class: "faults-row" }, partLabel, part),
    refused("part"),
    el("div", { class: "faults-row" }, faultLabel, fault),
    refused("fault"),
    parts.valueRow,
    refused("value"),
    el(
      "fieldset",
      { class: "hands bar" },
      el("button", { type: "submit", id: "faults-break" }, "Break it"),
      button("Mend all", () => mend("all"), { id: "faults-mend-all" }),
    ),
  );
}

const kindOf = (name) => table.parts.find((one) => one.name === name).kind;
const chosenFault = () => table.kinds[kindOf(parts.part.value)][parts.fault.value];

function choosePart() {
  const faults = table.kinds[kindOf(parts.part.value)];
  parts.fault.replaceChildren(
    ...Object.entries(faults).map(([value, { title: text }]) => el("option", { value }, text)),
  );
  chooseFault();
}

function chooseFault() {
  const { value, needs_electrode: touches, hazards, controls } = chosenFault();
  const lead = parts.part.value.split(".")[0];
  parts.value = null;
  if (touches) {
    const others = [0, 1, 2, 3].map((k) => `${lead}.${k}`).filter((one) => one !== parts.part.value);
    showValue(
      field("Touches", "faults-value", {
        options: others.map((one) => [one, one.replace(".", " electrode ")]),
        "aria-describedby": "faults-value-refused",
      }),
    );
  } else if (value) {
    showValue(
      field(value.text, "faults-value", {
        type: "number",
        step: "any",
        value: value.default ?? value.low,
        "aria-describedby": "faults-value-refused",
      }),
    );
  } else {
    parts.valueRow.replaceChildren();
  }
  for (const name of FIELDS) setText(parts[`${name}Refused`], "");
  parts.hazards.replaceChildren(...hazards.map((id) => hazardOf(id)));
  parts.controls.replaceChildren(
    ...controls.map((id) => el("li", {}, el("b", {}, id), ` ${table.controls[id] || ""}`)),
  );
}

function showValue([label, input]) {
  parts.value = input;
  parts.valueRow.replaceChildren(label, input);
}

function hazardOf(id) {
  const { title: text, harm, severity } = table.hazards[id] || {};
  return el("li", {}, el("b", {}, id), text ? ` ${text}. Harm: ${harm} (${severity}).` : "");
}

function standsFor() {
  parts.hazards = el("ul", { id: "faults-hazards", "aria-label": "Hazards" });
  parts.controls = el("ul", { id: "faults-controls", "aria-label": "Controls" });
  return el(
    "div",
    { class: "faults-stands" },
    el("h4", {}, "Hazards"),
    parts.hazards,
    el("h4", {}, "Controls"),
    parts.controls,
  );
}

async function submit(event) {
  event.preventDefault();
  const { needs_electrode: touches } = chosenFault();
  const value = !parts.value ? null : touches ? parts.value.value : parts.value.valueAsNumber;
  for (const name of FIELDS) setText(parts[`${name}Refused`], "");
  if (Number.isNaN(value)) return refuse("value", "A number is needed.");
  try {
    bench.say(
      (await bench.do("faults-break", { part: parts.part.value, fault: parts.fault.value, value })).told,
    );
  } catch (error) {
    refuse(error.field, error.message);
  }
}

function refuse(name, text) {
  const at = FIELDS.includes(name) ? name : "part";
  setText(parts[`${at}Refused`], text);
  if (parts[at]) parts[at].focus();
}

function mend(part) {
  return bench.attempt(bench.do("faults-mend", { part }));
}

// What is broken.

function brokenNow() {
  parts.list = el("ul", { id: "faults-broken", class: "faults-broken" });
  return el("fieldset", { class: "hands" }, parts.list);
}

function showBroken({ broken, off }) {
  const texts = [...broken, ...off.map((board) => `${board} without power`)];
  const key = JSON.stringify(texts);
  if (parts.list.dataset.shown === key) return;
  parts.list.dataset.shown = key;
  parts.list.replaceChildren(
    ...texts.map((text) => {
      const part = text.split(" ")[0];
      return el(
        "li",
        {},
        el("span", {}, text),
        button("Mend", () => mend(part), { "aria-label": `Mend ${part}` }),
      );
    }),
  );
  if (!texts.length) parts.list.append(el("li", {}, "Nothing is broken."));
}

// What happened.

function showHappened({ happened, after }, whole) {
  parts.nothing.hidden = happened.length > 0;
  for (const [number, one] of shown) {
    if (!happened.some((note) => note.number === number && note.t_ns === one.t_ns)) {
      one.article.remove();
      shown.delete(number);
      asked.delete(number);
    }
  }
  for (const note of happened) {
    if (!shown.has(note.number)) shown.set(note.number, added(note));
    showNote(shown.get(note.number), note, (after || {})[note.number], whole);
    readInTime(note, (after || {})[note.number], whole, note === happened.at(-1));
  }
}

function added(note) {
  const made = { t_ns: note.t_ns };
  const row = (key, name) => [
    el("dt", {}, name),
    (made[key] = el("dd", { id: `faults-${note.number}-${key}` })),
  ];
  made.lines = el("ol", { id: `faults-${note.number}-log`, class: "faults-lines" });
  made.article = el(
    "article",
    { "aria-labelledby": `faults-${note.number}-title`, class: "faults-one" },
    el("h4", { id: `faults-${note.number}-title` }, `${note.number}. ${note.title}`),
    el(
      "dl",
      { class: "faults-facts" },
      ...row("when", "At"),
      ...row("stands", "Stands for"),
      ...row("state", "State"),
      ...row("left", "Left current ended"),
      ...row("right", "Right current ended"),
      ...row("output", "Output"),
      ...row("resets", "Restarts"),
      el("dt", {}, "Its log; of an implant, the journal"),
      el("dd", {}, made.lines),
    ),
    el(
      "fieldset",
      { class: "hands" },
      button("Read its log again", () => bench.attempt(bench.do("faults-read", { number: note.number })), {
        id: `faults-${note.number}-read`,
      }),
    ),
  );
  parts.happened.prepend(made.article);
  return made;
}

function showNote(made, note, after, whole) {
  setText(made.when, clock(note.t_ns));
  setText(made.stands, `${note.hazards.join(", ")}; against it ${note.controls.join(", ")}`);
  if (after) {
    const failed = after.failed_parts.length ? `; failed: ${after.failed_parts.join(", ")}` : "";
    setText(made.state, `${note.before || "no answer"} before, ${after.state} then${failed}`);
    for (const side of ["left", "right"])
      setText(made[side], ended(note, after[side], after.off, whole.t_ns));
    setText(made.output, outputOf(note, after));
  }
  setText(
    made.resets,
    note.resets.map(([ms, cause]) => `${ms.toFixed(1)} ms later, by ${cause.replace("_", " ")}`).join("; ") ||
      "none",
  );
  const lines =
    note.log === null
      ? ["not read yet"]
      : note.why
        ? [note.why]
        : note.log.length
          ? note.log
          : ["nothing since then"];
  const key = JSON.stringify(lines);
  if (made.lines.dataset.shown !== key) {
    made.lines.dataset.shown = key;
    made.lines.replaceChildren(...lines.map((line) => el("li", {}, line)));
  }
}

function ended(note, ms, off, now) {
  if (!note.running) return "–";
  if (ms === null) return "before the fault: none flowed since";
  if (!off && now - note.t_ns - ms * 1e6 < FLOWS_NS) return "it flows still";
  return `${milliseconds(ms * 1e6)} after the fault${off ? "" : "; none since"}`;
}

function outputOf(note, { off, left, right, stop_cause: cause, state }) {
  if (!note.running) return "was off at the fault";
  const last = Math.max(left ?? 0, right ?? 0);
  const why =
    note.resets.length && cause === "never on"
      ? "the board has restarted since"
      : `the board says why: ${cause}`;
  if (off)
    return last
      ? `off ${milliseconds(last * 1e6)} after the fault; ${why}`
      : `off before a further pulse; ${why}`;
  return state === "no answer" ? "the board does not answer" : `the board says that it goes on: ${state}`;
}

/**
 * Whoever holds the controls has the board asked for its log: some time after a fault, and again for the
 * newest one when the board has come to another end. Asking is an action of the run, so it is done seldom.
 */
function readInTime(note, after, { t_ns: now, stimulator: told, repeating }, isNewest) {
  if (!bench.holds || repeating !== null) return;
  const end = JSON.stringify([
    told.answers,
    told.stop_cause,
    told.failed_parts,
    note.resets.length,
    after && after.off,
  ]);
  let one = asked.get(note.number);
  if (!one)
    asked.set(note.number, (one = { end, due: note.log === null ? note.t_ns + READ_AFTER_NS : Infinity }));
  if (isNewest && one.end !== end)
    Object.assign(one, { end, due: Math.max(now + SETTLED_NS, note.t_ns + READ_AFTER_NS) });
  if (now < one.due) return;
  one.due = Infinity;
  bench.do("faults-read", { number: note.number }).catch(() => null);
}
