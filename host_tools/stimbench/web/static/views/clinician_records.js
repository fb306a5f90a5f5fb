// The view "clinician": what the board keeps of its sessions, and the report that is made of it.

import { button, el, save, setText } from "../dom.js";
import { Rows } from "../fields.js";

let log, journal, ledger, contractions;

/** Journal or log, ledger, contractions, audit report. `run` does an action; `part` keeps elements. */
export function recordsPart(run, part) {
  const entry = (one) => [[String(one.number)], one.time, one.what, one.by, one.text];
  const heads = [["No."], "When", "What", "By", "More"];
  const micro = (nc) => (nc / 1000).toFixed(3);
  log = new Rows("clinician-log", "Log of the board, the newest first", heads, entry);
  journal = new Rows("clinician-journal", "Journal, the newest first", heads, entry);
  ledger = new Rows(
    "clinician-ledger",
    "Ledger of the present or last session",
    [
      "Lead",
      ...["Pulses", "Missed", "Contractions", "Set, µA", "Mean, µA", "Most, µA", "Charge, µC"].map((one) => [
        one,
      ]),
    ],
    (one) => [
      one.lead,
      [one.pulses],
      [one.missed],
      [one.contractions],
      [one.prescribed_ua],
      [one.mean_ua],
      [one.most_ua],
      [micro(one.charge_nc)],
    ],
  );
  contractions = new Rows(
    "clinician-contractions",
    "Contractions, the newest first",
    [["No."], "Lead", ...["Pulses", "Set, µA", "Mean, µA", "Cathodic, µC", "Anodic, µC"].map((one) => [one])],
    (one) => [
      [one.number],
      one.lead,
      [one.pulses],
      [one.prescribed_ua],
      [one.mean_ua],
      [micro(one.cathodic_nc)],
      [micro(one.anodic_nc)],
    ],
  );
  part.audit = el("p", { id: "clinician-audit-state" });
  part.saveAudit = button("Save the report", () => saveAudit(run), {
    id: "clinician-audit-save",
    disabled: true,
  });
  part.auditPart = el(
    "div",
    { hidden: true },
    el("h3", {}, "Audit report"),
    part.audit,
    el(
      "div",
      { class: "bar" },
      button("Make the report", () => run("clinician-audit"), { id: "clinician-audit" }),
      part.saveAudit,
    ),
  );
  part.read = el("p", { class: "quiet", id: "clinician-read-at" });
  return el(
    "section",
    { "aria-labelledby": "clinician-records-title" },
    el("h3", { id: "clinician-records-title" }, "Journal"),
    part.read,
    el(
      "div",
      { class: "bar" },
      button("Read the journal", () => run("clinician-read"), { id: "clinician-read-journal" }),
    ),
    log.element,
    journal.element,
    ledger.element,
    contractions.element,
    part.auditPart,
  );
}

/** The report as a file. */
async function saveAudit(run) {
  const found = await run("clinician-audit-page");
  if (found) save("stimbench-audit.html", new Blob([found.html], { type: "text/html" }));
}

/** Show what the board told. */
export function showRecords(part, state, implanted) {
  log.element.hidden = implanted;
  journal.element.hidden = !implanted && !state.journal.length;
  ledger.element.hidden = contractions.element.hidden = !implanted;
  log.show(state.log);
  journal.show(state.journal);
  ledger.show(state.implant ? state.implant.ledger : []);
  contractions.show(state.implant ? state.implant.contractions : []);
  const at =
    state.read_ns === null
      ? "Not read yet."
      : `As the board told it at ${(state.read_ns / 1e9).toFixed(3)} s of bench time.`;
  setText(part.read, state.journal_why ? `${at} The journal is older. ${state.journal_why}` : at);
  const texts = {
    none: "None was made.",
    running: "It is being made, in a process of its own.",
    made: `Made, of ${state.audit.entries} entries.`,
    failed: `It could not be made: ${state.audit.why}`,
  };
  setText(part.audit, texts[state.audit.state]);
  part.saveAudit.disabled = state.audit.state !== "made";
}
