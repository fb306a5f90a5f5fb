// Both leads: electrodes, impedances, and the muscles as a model has them.

import { reason } from "../controls.js";
import { button, el, setText } from "../dom.js";
import { set, svg } from "../svg.js";
import { clock } from "../units.js";

export const title = "Leads";

const SIDES = ["left", "right"];
const NAMES = { left: "Left", right: "Right" };
const ELECTRODES = [0, 1, 2, 3];
const ROLES = [
  ["cathode", "Cathode −", "−"],
  ["anode", "Anode +", "+"],
];
/** Up to which impedance (ohm) a cell has which shade. */
const SHADES = [
  [300, "low"],
  [700, "usual"],
  [1500, "high"],
  [Infinity, "higher"],
];

let bench,
  asking = false;
const parts = {};

export function mount(host, theBench) {
  bench = theBench;
  parts.measure = button("Measure all 24 pairs", measure, { id: "leads-measure" });
  parts.measured = el("p", { id: "leads-measured" });
  parts.measureRefused = el("p", { id: "leads-measure-refused", class: "refused", role: "alert" });
  host.append(
    el("h2", {}, title),
    el("div", { class: "leads-sides" }, ...SIDES.map(electrodesOf)),
    el("h3", {}, "Impedance"),
    el("fieldset", { class: "hands" }, parts.measure),
    parts.measured,
    parts.measureRefused,
    el("div", { class: "leads-sides" }, ...SIDES.map(impedancesOf)),
    legend(),
    el("h3", {}, "Muscles"),
    ...musclesPart(),
  );
}

/** The model goes by every pulse; a wired bench's record has gaps, so it is not there. */
function musclesPart() {
  const why = bench.lacks.needs["whole record"];
  if (why) return [reason(why, "lacks-muscles")];
  return [
    el(
      "p",
      { class: "leads-model" },
      "A model for teaching, driven by the delivered pulses. Nothing here is measured on a muscle.",
    ),
    el("div", { class: "leads-sides" }, ...SIDES.map(muscleOf)),
    about(),
  ];
}

export function update(state, whole) {
  if (state.electrodes === undefined) return;
  askForProgram(state, whole);
  for (const side of SIDES) {
    showElectrodes(side, state);
    showImpedances(side, state);
    if (state.muscles) showMuscle(side, state.muscles);
  }
  if (state.impedance)
    setText(
      parts.measured,
      `Measured by the board at ${clock(state.impedance.t_ns)}; Ω between two electrodes.`,
    );
  else
    setText(
      parts.measured,
      "Not measured in this run. It takes some seconds, and only a board that is ready does it.",
    );
}

/** The board tells its programme when it is asked, and only who holds the controls can ask. */
function askForProgram(state, whole) {
  if (state.program || asking || !bench.holds || !whole.stimulator.answers || whole.repeating !== null)
    return;
  asking = true;
  bench
    .do("get-program")
    .catch(() => null)
    .finally(() => {
      asking = false;
    });
}

// Electrodes.

function electrodesOf(side) {
  const rows = ELECTRODES.map((electrode) => {
    const row = (parts[`${side}${electrode}`] = {
      drawing: drawnElectrode(),
      condition: el("td", { id: `leads-${side}-${electrode}` }),
    });
    for (const [role, , sign] of ROLES) {
      row[role] = button(sign, () => choose(side, role, electrode), {
        id: `leads-${side}-${role}-${electrode}`,
        "aria-pressed": "false",
        "aria-label": `${NAMES[side]} electrode ${electrode} as ${role}`,
        "aria-describedby": `leads-${side}-refused`,
      });
    }
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, String(electrode)),
      el("td", { class: "leads-drawn" }, row.drawing.whole),
      ...ROLES.map(([role]) => el("td", {}, row[role])),
      row.condition,
    );
  });
  parts[side] = {
    refused: el("p", { id: `leads-${side}-refused`, class: "refused", role: "alert" }),
    joined: el("p", { id: `leads-${side}-joined` }),
  };
  return el(
    "section",
    { "aria-label": `Electrodes of the ${side} lead` },
    el("h3", {}, `${NAMES[side]} lead`),
    el(
      "fieldset",
      { class: "hands" },
      el(
        "table",
        { class: "leads-electrodes" },
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            ...["Electrode", "", "Cathode −", "Anode +", "Condition"].map((text) =>
              text ? el("th", { scope: "col" }, text) : el("td"),
            ),
          ),
        ),
        el("tbody", {}, ...rows),
      ),
    ),
    parts[side].joined,
    parts[side].refused,
  );
}

function drawnElectrode() {
  const sign = svg("text", { x: 20, y: 25, class: "leads-sign" });
  const band = svg("rect", { x: 8, y: 9, width: 24, height: 22, rx: 3, class: "leads-band" });
  const fault = svg("path", { d: "", class: "leads-fault" });
  return {
    band,
    sign,
    fault,
    whole: svg(
      "svg",
      { viewBox: "0 0 40 40", class: "leads-electrode", "aria-hidden": "true" },
      svg("rect", { x: 14, y: -1, width: 12, height: 42, class: "leads-body" }),
      band,
      fault,
      sign,
    ),
  };
}

/** Over the band: a break as a slash, all else as a bar beside it. */
const FAULTS = { ok: "", open: "M4 34 L36 6", loose: "M4 34 L14 26 M26 14 L36 6" };

function showElectrodes(side, { electrodes, program, joined }) {
  for (const electrode of ELECTRODES) {
    const row = parts[`${side}${electrode}`];
    const condition = electrodes ? electrodes[side][electrode] : "not known";
    const role = ROLES.find(([name]) => program && program[`${side}.${name}`] === electrode);
    for (const [name] of ROLES) set(row[name], { "aria-pressed": String(Boolean(role) && role[0] === name) });
    set(row.drawing.band, { class: `leads-band ${role ? "used" : ""}` });
    setText(row.drawing.sign, role ? role[2] : "");
    set(row.drawing.fault, { d: electrodes ? (FAULTS[condition] ?? "M36 6 L36 34") : "" });
    set(row.drawing.whole, { class: `leads-electrode ${electrodes ? "" : "leads-unknown"}` });
    setText(row.condition, condition);
    row.condition.classList.toggle("leads-broken", Boolean(electrodes) && condition !== "ok");
  }
  const open = joined && (joined[side] ? "Electrodes are joined to the output." : "Electrodes are open.");
  setText(parts[side].joined, open ?? "What is wired, and whether it is whole, only a measurement tells.");
}

async function choose(side, role, electrode) {
  const { program } = bench.state.views.leads;
  const wanted = {
    side,
    cathode: program?.[`${side}.cathode`] ?? 1,
    anode: program?.[`${side}.anode`] ?? 2,
    [role]: electrode,
  };
  await refusing(parts[side].refused, bench.do("leads-electrodes", wanted));
}

/** What is refused is said at the place where it was asked for. */
async function refusing(place, promise) {
  setText(place, "");
  try {
    bench.say((await promise).told);
  } catch (error) {
    setText(place, error.message);
  }
}

// Impedances.

async function measure() {
  parts.measure.setAttribute("aria-busy", "true");
  setText(parts.measure, "Measuring");
  await refusing(parts.measureRefused, bench.do("leads-impedance"));
  setText(parts.measure, "Measure all 24 pairs");
  parts.measure.removeAttribute("aria-busy");
}

function impedancesOf(side) {
  const cells = (parts[side].cells = {});
  const rows = ELECTRODES.map((cathode) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, `− ${cathode}`),
      ...ELECTRODES.map((anode) => {
        const id = `leads-${side}-pair-${cathode}-${anode}`;
        const cell = el("td", { id }, cathode === anode ? "" : "–");
        if (cathode !== anode) cells[`${cathode}${anode}`] = cell;
        return cell;
      }),
    ),
  );
  return el(
    "table",
    { class: "leads-pairs" },
    el("caption", {}, `${NAMES[side]} lead, Ω`),
    el(
      "thead",
      {},
      el("tr", {}, el("td"), ...ELECTRODES.map((anode) => el("th", { scope: "col" }, `+ ${anode}`))),
    ),
    el("tbody", {}, ...rows),
  );
}

function showImpedances(side, { impedance, program }) {
  const found = Object.fromEntries(
    (impedance?.pairs[side] || []).map((pair) => [`${pair[0]}${pair[1]}`, pair]),
  );
  for (const [key, cell] of Object.entries(parts[side].cells)) {
    const [, , kind, ohm] = found[key] || [0, 0, "not measured", 0];
    const chosen = program && key === `${program[`${side}.cathode`]}${program[`${side}.anode`]}`;
    setText(cell, kind === "ok" ? String(ohm) : kind === "not measured" ? "–" : kind);
    const shade =
      kind === "ok" ? SHADES.find(([most]) => ohm <= most)[1] : kind === "not measured" ? "none" : kind;
    set(cell, { class: `leads-${shade} ${chosen ? "chosen" : ""}` });
  }
}

function legend() {
  const entries = [
    ["short", "short"],
    ["low", "to 300"],
    ["usual", "to 700"],
    ["high", "to 1500"],
    ["higher", "above"],
    ["open", "open"],
  ];
  return el(
    "ul",
    { class: "leads-legend", "aria-label": "Shades of the impedances, Ω" },
    ...entries.map(([shade, text]) => el("li", { class: `leads-${shade}` }, text)),
    el("li", { class: "chosen" }, "in the programme"),
  );
}

// Muscles.

const MIDDLE = 36,
  THIN = 9,
  BULGE = 20;
const FORCE_POINTS = 400;

function muscleOf(side) {
  const figures = {};
  const figure = (key, name) =>
    el("div", {}, el("dt", {}, name), (figures[key] = el("dd", { id: `leads-${side}-${key}` }, "–")));
  const belly = svg("path", { class: "leads-belly" });
  const curve = svg("polyline", { class: "leads-curve", points: "" });
  const drawing = svg(
    "svg",
    {
      viewBox: "0 0 240 72",
      preserveAspectRatio: "xMinYMid",
      class: "leads-muscle",
      role: "img",
      "aria-label": `${NAMES[side]} muscle, drawn as thick as its force`,
    },
    svg("path", { d: `M2 ${MIDDLE} H238`, class: "leads-tendon" }),
    belly,
  );
  const chart = svg(
    "svg",
    {
      viewBox: `0 0 ${FORCE_POINTS} 100`,
      preserveAspectRatio: "none",
      class: "leads-chart",
      role: "img",
      "aria-label": `Force of the ${side} muscle in the last 8 s, 0 to 100 %`,
    },
    ...[0, 25, 50, 75, 100].map((y) => svg("path", { d: `M0 ${y} H${FORCE_POINTS}`, class: "leads-grid" })),
    curve,
  );
  Object.assign(parts[side], { figures, belly, curve });
  return el(
    "section",
    { "aria-label": `${NAMES[side]} muscle` },
    el("h3", {}, NAMES[side]),
    drawing,
    el(
      "dl",
      { class: "figures leads-figures" },
      figure("force", "Force"),
      figure("units", "Motor units in the last pulse"),
      figure("charge", "Charge through tissue"),
      figure("fatigue", "Fatigue"),
    ),
    el(
      "div",
      { class: "leads-plot" },
      el("span", {}, "100 %"),
      chart,
      el("span", {}, "0 %"),
      el("span", { class: "leads-times" }, el("span", {}, "8 s ago"), el("span", {}, "now")),
    ),
  );
}

function showMuscle(side, { sides }) {
  const { figures, belly, curve } = parts[side];
  const { force, able, charge_nc: charge, recruited, pulse_ns: pulse } = sides[side];
  const now = force.at(-1) / 1000;
  const half = 1.6 * (THIN + BULGE * now); // a control point, beyond the curve
  const [top, bottom] = [MIDDLE - half, MIDDLE + half];
  set(belly, {
    d: `M24 ${MIDDLE} C70 ${top} 170 ${top} 216 ${MIDDLE} C170 ${bottom} 70 ${bottom} 24 ${MIDDLE} Z`,
  });
  const first = FORCE_POINTS - force.length;
  set(curve, { points: force.map((share, k) => `${first + k},${100 - share / 10}`).join(" ") });
  setText(figures.force, `${(100 * now).toFixed(1)} %`);
  setText(figures.fatigue, `${(100 * (1 - able)).toFixed(1)} %`);
  setText(figures.units, pulse ? `${(100 * recruited).toFixed(0)} %` : "–");
  setText(figures.charge, pulse ? `${charge.toFixed(2)} nC` : "–");
}

function about() {
  return el(
    "details",
    { class: "leads-about" },
    el("summary", {}, "What the model is, and what is assumed"),
    el(
      "p",
      {},
      "Force is a share of the greatest force of the rested muscle. A motor unit answers a pulse " +
        "whose cathodic charge reaches its threshold; thresholds are spread normally, so recruitment is " +
        "a sigmoid of charge (Crago et al. 1980; Durfee and Palmer 1994). Each answer is a twitch of a " +
        "critically damped system (Milner-Brown et al. 1973). Twitches add up and saturate: they fuse " +
        "as the rate rises. Units that work tire and recover with a time constant of 127 s (Ding et al. " +
        "2000, 2003).",
    ),
    el(
      "p",
      {},
      "Assumed: half of all units at 400 nC, with a standard deviation of 150 nC; a contraction time " +
        "of 90 ms, that of a slow muscle; a twitch of a fifth of the greatest force; and how fast force " +
        "tires. Length, speed, the electrodes' places and the nerve's delay are left out. A pulse below " +
        "60 Ω crossed no tissue, as in a short or in the self-test: it moves nothing.",
    ),
  );
}
