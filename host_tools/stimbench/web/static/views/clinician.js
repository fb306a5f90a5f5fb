// The programme as a form, sessions, test stimulation; of an implant: prescription, journal, ledger, audit.

import { reason } from "../controls.js";
import { button, el, field, setText } from "../dom.js";
import { FieldForm, fromInput, toInput } from "../fields.js";
import { recordsPart, showRecords } from "./clinician_records.js";

export const title = "Clinician";

const DAY_S = 86400;
let bench, about, programme, prescription, therapy;
const part = {};
let shownProgram = "",
  shownPrescription = "";

/** An action; a refusal is said, and the field that it is about comes into view. */
async function attempt(form, work) {
  try {
    const result = await work();
    if (result && result.told) bench.say(result.told);
    return result;
  } catch (error) {
    bench.say(error.message, true);
    const input = form && form.inputs.get(error.field);
    if (input) input.focus();
    return null;
  }
}

const AMPLITUDES = ["left.amplitude_ua", "right.amplitude_ua"];

/** Send a form, whole or not at all; then it shows what the board made of it. */
function sent(form, name, fields) {
  return attempt(form, async () => {
    const bad = form.firstBad();
    if (bad) {
      bad.focus();
      throw new Error("A field is out of its range: nothing was sent.");
    }
    const result = await bench.do(name, { fields: fields() });
    form.edited.clear();
    if (result.program) form.show(result.program);
    return result;
  });
}

/** The whole form is sent: what it shows is what the board gets, whatever happened to the board since. */
const setProgramme = () => sent(programme, "clinician-program", () => programme.values());

async function begin() {
  if (!bench.state.stimulator.implanted) {
    const set = await setProgramme();
    if (!set || set.zeroed.length) return;
  }
  await attempt(programme, () => bench.do("start"));
}

const run = (name, args) => attempt(null, () => bench.do(name, args));

async function readProgramme() {
  const read = await run("clinician-read");
  if (read && read.program) programme.show(read.program, true);
}

/** Amplitudes that nobody has set yet do not take the place of the form's suggestion. */
function suggested(held) {
  return Object.fromEntries(Object.entries(held).filter(([name, value]) => value || !AMPLITUDES.includes(name)));
}

function programmePart() {
  programme = new FieldForm("clinician", about.program, "Programme");
  const amplitudes = () => ({
    left_ua: programme.value("left.amplitude_ua"),
    right_ua: programme.value("right.amplitude_ua"),
  });
  return el(
    "section",
    { "aria-labelledby": "clinician-programme-title" },
    el("h3", { id: "clinician-programme-title" }, "Programme"),
    programme.element,
    el(
      "div",
      { class: "bar" },
      button("Set the programme", setProgramme, { id: "clinician-set" }),
      button("Set the amplitudes only", () => attempt(programme, () => bench.do("amplitude", amplitudes())), {
        id: "clinician-set-amplitudes",
      }),
      button("Read it from the board", readProgramme, { id: "clinician-read" }),
    ),
  );
}

function sessionPart() {
  const [low, high] = about.test_s;
  const [label, seconds] = field(`Test, ${low} to ${high} s`, "clinician-test-seconds", {
    type: "number",
    min: low,
    max: high,
    value: 5,
  });
  return el(
    "section",
    { "aria-labelledby": "clinician-session-title" },
    el("h3", { id: "clinician-session-title" }, "Session"),
    el(
      "div",
      { class: "bar" },
      button("Start a session", begin, { id: "clinician-start", class: "chief" }),
      button("Stop", () => bench.stop(), { id: "clinician-stop" }),
    ),
    (part.test = el(
      "div",
      { class: "bar" },
      label,
      seconds,
      button("Test stimulation", () => run("clinician-test", { seconds: seconds.valueAsNumber }), {
        id: "clinician-test",
      }),
    )),
  );
}

function implantPart() {
  const [dateLabel, date] = field("Implanted on, UTC", "clinician-implanted-on", {
    type: "date",
    value: new Date(about.implanted_s * 1000).toISOString().slice(0, 10),
  });
  const [daysLabel, days] = field("Healing, days", "clinician-healing-days", {
    type: "number",
    min: 0,
    max: about.healing_days[1],
    value: about.healing_days[0],
  });
  part.not = el(
    "div",
    {},
    el(
      "p",
      { id: "clinician-not-implant" },
      "This board is not an implant: it does what its programme says, and has no prescription, no ledger " +
        "and no healing time. You can make it one. It restarts then.",
    ),
    reason(bench.why("clinician-implant"), "lacks-implant"),
    el(
      "fieldset",
      { class: "hands form", "data-action": "clinician-implant", "aria-describedby": "lacks-implant" },
      dateLabel,
      date,
      daysLabel,
      days,
      button(
        "Implant",
        () =>
          run("clinician-implant", {
            implanted_s: Date.parse(`${date.value}T00:00:00Z`) / 1000,
            healing_days: days.valueAsNumber,
          }),
        { id: "clinician-implant" },
      ),
    ),
  );
  return el(
    "section",
    { "aria-labelledby": "clinician-implant-title" },
    el("h3", { id: "clinician-implant-title" }, "Implant"),
    part.not,
    implantedPart(),
  );
}

function implantedPart() {
  const [clockLabel, clock] = field("Its clock, UTC", "clinician-clock", {
    type: "datetime-local",
    value: toInput(about.implanted_s),
  });
  const [modeLabel, mode] = field("Mode", "clinician-mode", {
    options: about.modes.map((one) => [one, one]),
    onchange: () => run("clinician-mode", { mode: mode.value }),
  });
  therapy = el("dl", { class: "figures therapy", id: "clinician-therapy" });
  part.dates = el("p", { id: "clinician-dates" });
  part.implanted = el(
    "div",
    { hidden: true },
    part.dates,
    therapy,
    el("div", { class: "form" }, modeLabel, mode),
    el(
      "fieldset",
      { class: "hands form", "data-action": "clinician-clock", "aria-describedby": "clinician-days" },
      clockLabel,
      clock,
      button("Set its clock", () => run("clinician-clock", { time_s: fromInput(clock.value) }), {
        id: "clinician-set-clock",
      }),
      button(
        "Set its clock to the end of the healing time",
        () => run("clinician-clock", { time_s: part.earliest_s }),
        { id: "clinician-healed" },
      ),
    ),
    el(
      "p",
      { class: "quiet", id: "clinician-days" },
      bench.why("clinician-clock") ||
        "The emulated bench cannot let 14 days pass. Its clock can be set, as a clinician sets it.",
    ),
    el(
      "div",
      { class: "bar" },
      button("Clear the fault", () => run("clinician-clear-fault"), { id: "clinician-clear-fault" }),
      button("Explant", () => run("clinician-explant"), { id: "clinician-explant" }),
    ),
    prescriptionPart(),
  );
  return part.implanted;
}

function prescriptionPart() {
  prescription = new FieldForm("clinician-rx", about.prescription, "Prescription");
  part.kept = el("p", { id: "clinician-kept" });
  return el(
    "section",
    { "aria-labelledby": "clinician-rx-title" },
    el("h3", { id: "clinician-rx-title" }, "Prescription"),
    part.kept,
    prescription.element,
    el(
      "div",
      { class: "bar" },
      button("Measure the impedance", () => run("clinician-impedance"), { id: "clinician-impedance" }),
      button("Prescribe", () => sent(prescription, "clinician-prescribe", () => prescription.values()), {
        id: "clinician-prescribe",
      }),
    ),
    trainPart(),
  );
}

function trainPart() {
  const [leadLabel, lead] = field("Lead", "clinician-train-lead", {
    options: [
      ["left", "left"],
      ["right", "right"],
    ],
  });
  const [uaLabel, ua] = field("Amplitude, µA", "clinician-train-amplitude", {
    type: "number",
    min: 0,
    max: 10000,
    step: 25,
    value: 1000,
  });
  const [countLabel, count] = field("Pulses", "clinician-train-pulses", {
    type: "number",
    min: 1,
    max: 200,
    value: 20,
  });
  const give = () =>
    run("clinician-train", { lead: lead.value, amplitude_ua: ua.valueAsNumber, pulses: count.valueAsNumber });
  return el(
    "section",
    { "aria-labelledby": "clinician-train-title" },
    el("h3", { id: "clinician-train-title" }, "Test train"),
    el(
      "div",
      { class: "form" },
      leadLabel,
      lead,
      uaLabel,
      ua,
      countLabel,
      count,
      button("Give the train", give, { id: "clinician-train" }),
    ),
  );
}

export function mount(host, theBench) {
  bench = theBench;
  about = bench.about.clinician;
  part.programme = programmePart();
  host.append(
    el("h2", {}, title),
    el(
      "fieldset",
      { class: "hands clinician" },
      part.programme,
      sessionPart(),
      implantPart(),
      recordsPart(run, part),
    ),
  );
}

function showTherapy(implant, dates, answers) {
  const rows = [];
  if (implant) {
    const one = implant.therapy;
    rows.push(
      ["State", one.state],
      ["Today", `${one.sessions_left} of ${one.sessions_a_day} sessions left`],
      [
        "A session",
        one.elapsed_s
          ? `runs, ${one.elapsed_s} of ${one.session_s} s`
          : one.reason
            ? `not now: ${one.reason}`
            : "may begin",
      ],
      ["Last end", one.ended],
      [
        "Fault",
        one.fault
          ? `${one.fault}${one.fault_lead ? `, ${one.fault_lead} lead` : ""}: ${one.fault_meaning}`
          : "none",
      ],
      ["Battery", one.battery],
      ["Its clock", one.time],
    );
  }
  const now = JSON.stringify(rows);
  if (therapy.dataset.shown === now) return;
  therapy.dataset.shown = now;
  therapy.replaceChildren(
    ...rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

function datesText(dates, implant) {
  if (!dates) return "It was implanted before this page looked.";
  const clock = implant && implant.therapy.time_s;
  const left = clock ? Math.ceil((dates.earliest_s - clock) / DAY_S) : null;
  const days =
    left === null
      ? ""
      : left > 0
        ? ` ${left} of ${dates.healing_days} days are left.`
        : " The healing time is over.";
  const { device_id, implanted, earliest } = dates;
  return `Device ${device_id}, implanted ${implanted}. No therapy before ${earliest}.${days}`;
}

export function update(state, whole) {
  if (!state.audit) return;
  const implanted = Boolean(whole.stimulator.implanted);
  part.programme.hidden = part.test.hidden = implanted;
  part.not.hidden = implanted || !whole.stimulator.answers;
  part.implanted.hidden = part.auditPart.hidden = !implanted;
  const program = JSON.stringify(state.program);
  if (state.program && program !== shownProgram) {
    programme.show(shownProgram ? state.program : suggested(state.program));
    shownProgram = program;
  }
  programme.refuse(state.refused);
  const kept = state.implant && state.implant.prescription;
  const keptText = JSON.stringify(kept);
  if (kept && keptText !== shownPrescription) prescription.show(kept.fields, true);
  shownPrescription = keptText;
  prescription.refuse(state.refused_prescription);
  setText(
    part.kept,
    kept
      ? `Version ${kept.version} is in force, given by ${kept.by}, ${kept.set}.`
      : "It has no prescription: it does nothing but measure.",
  );
  part.earliest_s = state.audit.dates ? state.audit.dates.earliest_s : about.implanted_s;
  setText(part.dates, datesText(state.audit.dates, state.implant));
  showTherapy(state.implant);
  showRecords(part, state, implanted);
}
