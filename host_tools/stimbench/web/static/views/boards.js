// The stimulator and the remote as they stand on the table.

import { reason } from "../controls.js";
import { button, el, setText } from "../dom.js";
import { set, svg } from "../svg.js";
import { clock } from "../units.js";
import { Beeper } from "./beeper.js";
import { Playback } from "./playback.js";

export const title = "Boards";

const LAMPS = ["green", "amber", "red"];
const BUTTONS = ["START", "STOP", "STATUS"];
const TONES = 5;
const REED = { open: "M212 58 h8 l14 -6 M236 58 h8", closed: "M212 58 h8 l16 0 M236 58 h8" };

let bench,
  magnet,
  mute,
  beeper,
  playback,
  state = null;
const lamps = {},
  facts = {},
  keys = {},
  drawn = {};
let sounds, lit;

export function mount(host, theBench) {
  bench = theBench;
  beeper = new Beeper();
  playback = new Playback(showLamps);
  host.append(
    el("h2", {}, title),
    reason(bench.why("magnet"), "lacks-hands"),
    el("div", { class: "boards" }, stimulator(), remote()),
  );
}

export function update(told, whole) {
  if (!told.boards) {
    if (whole.wired) showTold(whole);
    return;
  }
  const before = state;
  state = told;
  const since = before ? before.t_ns : 0;
  state.t_ns = whole.t_ns;
  const moves = Object.values(told.changes).some((changes) => changes.some(([t]) => t > since));
  beeper.play(told.tones, playback.take(whole.t_ns, moves));
  showStimulator(whole);
  showRemote();
}

// The stimulator.

function stimulator() {
  magnet = button("Hold the magnet to it", toggleMagnet, { id: "boards-magnet", "aria-pressed": "false" });
  drawn.magnet = svg(
    "g",
    { class: "boards-magnet" }, // for a pointer; the button below it is for everybody
    svg("rect", { x: 0, y: 0, width: 15, height: 44, class: "boards-north" }),
    svg("rect", { x: 15, y: 0, width: 15, height: 44, class: "boards-south" }),
    svg("text", { x: 7.5, y: 27 }, "N"),
    svg("text", { x: 22.5, y: 27 }, "S"),
  );
  drawn.magnet.addEventListener("click", () => bench.holds && !bench.why("magnet") && toggleMagnet());
  lamps["stimulator LED"] = lamp(103, 44, "green");
  const drawing = svg(
    "svg",
    { viewBox: "0 0 320 150", class: "boards-drawing", role: "img", "aria-label": "The stimulator's board" },
    svg("rect", { x: 2, y: 6, width: 246, height: 138, rx: 6, class: "boards-board" }),
    chip(70, 20, 66, 110, "Pico", 30),
    svg("rect", { x: 92, y: 10, width: 22, height: 16, class: "boards-metal" }),
    lamps["stimulator LED"].drawing,
    caption(103, 66, "LED"),
    chip(152, 20, 42, 34, "radio"),
    chip(152, 96, 42, 34, "gate"),
    ...header(12, 20, "left"),
    ...header(12, 84, "right"),
    (drawn.reed = svg("path", { d: REED.open, class: "boards-wire" })),
    caption(228, 76, "reed"),
    drawn.magnet,
  );
  return el(
    "section",
    { class: "boards-one", "aria-label": "Stimulator" },
    el("h3", {}, "Stimulator"),
    drawing,
    el("fieldset", { class: "hands", "data-action": "magnet", "aria-describedby": "lacks-hands" }, magnet),
    list([
      ["state", "State"],
      ["session", "Session clock"],
      ["led", "LED"],
      ["supply", "Supply, as it measures it"],
      ["vsys", "Supply, as it is"],
      ["magnet-seen", "Magnet"],
      ["stop", "Output last went off by"],
      ["failed", "Failed parts"],
      ["firmware", "Firmware"],
    ]),
  );
}

function toggleMagnet() {
  bench.attempt(bench.do("magnet", { state: state && state.magnet ? "off" : "on" }));
}

/** Of a wired bench there is what the stimulator tells; what nobody tells is not drawn as known. */
function showTold({ stimulator: told, views, wired }) {
  set(drawn.magnet, { class: "boards-magnet", visibility: "hidden" });
  for (const name of ["led", "vsys", "remote-power"]) setText(facts[name], "not known to the page");
  setText(lit, "Its lights and sounds are seen and heard at the bench.");
  setText(facts.state, told.answers ? told.state : wired.there ? "no answer" : "its port is gone");
  const magnetText = told.answers ? `the board sees ${told.magnet ? "it" : "none"}` : "–";
  setText(facts["magnet-seen"], magnetText);
  showAnswers(told, views);
}

const minutes = (s) => `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;

function showStimulator({ stimulator: told, views }) {
  const { power, hung } = state.boards.stimulator;
  set(magnet, { "aria-pressed": String(state.magnet) });
  setText(magnet, state.magnet ? "Take the magnet away" : "Hold the magnet to it");
  set(drawn.magnet, { transform: state.magnet ? "translate(242 36)" : "translate(286 36)" });
  set(drawn.reed, { d: state.magnet ? REED.closed : REED.open });
  setText(
    facts.state,
    !power ? "no power" : hung ? "its processor hangs" : told.answers ? told.state : "no answer",
  );
  setText(facts.vsys, power ? `${state.supply_v.stimulator.toFixed(3)} V` : "0.000 V");
  setText(
    facts["magnet-seen"],
    (state.magnet ? "at the board" : "away") +
      (told.answers ? `; the board sees ${told.magnet ? "it" : "none"}` : ""),
  );
  showAnswers(told, views);
}

/** What the stimulator says of itself, on any bench. */
function showAnswers(told, views) {
  const whole = views.leads?.program?.session_s;
  setText(
    facts.session,
    told.answers ? minutes(told.session_s) + (whole ? ` of ${minutes(whole)}` : "") : "–",
  );
  setText(facts.supply, told.answers ? `${(told.supply_mv / 1000).toFixed(3)} V` : "–");
  setText(facts.stop, told.answers ? told.stop_cause : "–");
  setText(facts.failed, told.answers ? told.failed_parts.join(", ") || "none" : "–");
  setText(facts.firmware, told.answers ? told.firmware : "–");
}

// The remote.

function remote() {
  LAMPS.forEach((colour, k) => {
    lamps[`remote ${colour}`] = lamp(54 + 56 * k, 48, colour);
  });
  drawn.buzzer = svg("circle", { cx: 262, cy: 44, r: 20, class: "boards-buzzer" });
  const drawing = svg(
    "svg",
    {
      viewBox: "0 0 320 96",
      class: "boards-drawing",
      role: "img",
      "aria-label": "The remote's lights and buzzer",
    },
    svg("rect", { x: 2, y: 6, width: 316, height: 84, rx: 6, class: "boards-board" }),
    ...LAMPS.map((colour, k) => lamps[`remote ${colour}`].drawing),
    ...LAMPS.map((colour, k) => caption(54 + 56 * k, 80, colour)),
    drawn.buzzer,
    svg("circle", { cx: 262, cy: 44, r: 4, class: "boards-hole" }),
    caption(262, 80, "buzzer"),
  );
  mute = button(
    "",
    () => {
      beeper.setMuted(!beeper.muted);
      showMute();
    },
    { id: "boards-mute" },
  );
  lit = el("p", { id: "boards-lights" });
  sounds = el("ol", {
    id: "boards-sounds",
    class: "boards-sounds",
    "aria-label": "The last sounds, newest first",
  });
  showMute();
  return el(
    "section",
    { class: "boards-one", "aria-label": "Remote" },
    el("h3", {}, "Remote"),
    drawing,
    el(
      "fieldset",
      { class: "hands boards-keys", "data-action": "boards-hold", "aria-describedby": "lacks-hands" },
      ...BUTTONS.map(key),
    ),
    el(
      "p",
      { class: "boards-hint" },
      "A button is pressed for as long as it is held, by pointer, space or return.",
    ),
    lit,
    el("div", { class: "bar" }, el("h3", {}, "Sounds"), mute),
    sounds,
    list([["remote-power", "Power"]]),
  );
}

function key(name) {
  const made = (keys[name] = el(
    "button",
    { type: "button", id: `boards-${name}`, "aria-pressed": "false" },
    name,
  ));
  let held = false;
  const hold = (event) => {
    event.preventDefault();
    if (held) return;
    held = true;
    made.focus();
    bench.attempt(bench.do("boards-hold", { button: name }));
  };
  const release = () => {
    if (!held) return;
    held = false;
    bench.attempt(bench.do("boards-release", { button: name }));
  };
  made.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && !made.matches(":disabled")) {
      made.setPointerCapture(event.pointerId);
      hold(event);
    }
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture", "blur"])
    made.addEventListener(end, release);
  made.addEventListener("keydown", (event) => (event.key === " " || event.key === "Enter") && hold(event));
  made.addEventListener("keyup", (event) => (event.key === " " || event.key === "Enter") && release());
  // What presses without pointer or key, a screen reader say, presses for a moment.
  made.addEventListener(
    "click",
    (event) => event.detail === 0 && bench.attempt(bench.do("press", { button: name })),
  );
  return made;
}

function showMute() {
  setText(mute, beeper.muted ? "Sound is off" : "Sound is on");
  set(mute, { "aria-pressed": String(!beeper.muted) });
}

function showRemote() {
  const { power, hung } = state.boards.remote;
  for (const [name, one] of Object.entries(keys))
    set(one, { "aria-pressed": String(state.buttons.includes(name)) });
  setText(
    facts["remote-power"],
    power ? (hung ? "on; its processor hangs" : `on, ${state.supply_v.remote.toFixed(3)} V`) : "off",
  );
  const texts = state.tones
    .slice(-TONES)
    .reverse()
    .map(([start, end, hz]) => `${clock(start)}: ${hz} Hz for ${((end - start) / 1e6).toFixed(0)} ms`);
  while (sounds.children.length > texts.length) sounds.lastChild.remove();
  while (sounds.children.length < texts.length) sounds.append(el("li"));
  texts.forEach((text, k) => setText(sounds.children[k], text));
}

// Lights.

function lamp(cx, cy, colour) {
  const glow = svg("circle", { cx, cy, r: 9, class: "boards-lamp" });
  return { glow, colour, drawing: glow };
}

/** Whether a lamp was on at a time, from its newest changes and from what it is now. */
function wasOn(name, t) {
  const changes = state.changes[name] || [];
  const before = changes.filter(([at]) => at <= t).at(-1);
  if (before) return before[1];
  const [board, one] = name.split(" ");
  return changes.length ? !changes[0][1] : state.boards[board].lights[one];
}

function showLamps(t) {
  if (!state) return;
  const on = Object.keys(lamps).filter((name) => wasOn(name, t));
  for (const [name, { glow, colour }] of Object.entries(lamps)) {
    set(glow, { class: `boards-lamp ${on.includes(name) ? `lit ${colour}` : ""}` });
  }
  setText(facts.led, on.includes("stimulator LED") ? "lit" : "dark");
  const remote = LAMPS.filter((colour) => on.includes(`remote ${colour}`));
  setText(lit, remote.length ? `Lit: ${remote.join(", ")}.` : "No light is on.");
  const sounding = state.tones.some(([start, end]) => start <= t && t <= end);
  set(drawn.buzzer, { class: `boards-buzzer ${sounding ? "sounds" : ""}` });
}

// Parts of the drawings.

function chip(x, y, width, height, name, lower = 0) {
  return svg(
    "g",
    {},
    svg("rect", { x, y, width, height, rx: 2, class: "boards-chip" }),
    caption(x + width / 2, y + height / 2 + 4 + lower, name),
  );
}

function header(x, y, name) {
  return [
    svg("rect", { x, y, width: 18, height: 46, class: "boards-chip" }),
    caption(x + 36, y + 27, name),
    ...[0, 1, 2, 3].map((k) =>
      svg("circle", { cx: x + 9, cy: y + 7 + 10.5 * k, r: 2.6, class: "boards-metal" }),
    ),
  ];
}

const caption = (x, y, text) => svg("text", { x, y, class: "boards-caption" }, text);

function list(rows) {
  return el(
    "dl",
    { class: "boards-facts" },
    ...rows.flatMap(([key, name]) => {
      facts[key] = el("dd", { id: `boards-${key}` }, "–");
      return [el("dt", {}, name), facts[key]];
    }),
  );
}
