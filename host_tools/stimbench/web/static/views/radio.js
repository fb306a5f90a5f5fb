// The air: each frame as an eavesdropper hears it, beside what the keys open; a transmitter; attacks.

import { reason } from "../controls.js";
import { button, el, field, setText } from "../dom.js";
import { Rows } from "../fields.js";
import { clock } from "../units.js";

export const title = "Radio";

const MOST_KEPT = 300;
const MOST_SHOWN = 60;
const HEADER_CHARS = 10;
const TAG_CHARS = 16;
const kept = new Map();
let bench, list, frames, filter, kind, paused, pause, heard, keys, sender, attacks, results;

const row = ([
  number,
  t_ns,
  channel,
  address,
  to,
  kindName,
  slot,
  bytes,
  copies,
  injected,
  opens,
  opened,
]) => ({ number, t_ns, channel, address, to, kind: kindName, slot, bytes, copies, injected, opens, opened });

/** The bytes, with what lies open, what is sealed, and the tag apart. */
function bytesOf(frame) {
  if (frame.kind !== "REQUEST" && frame.kind !== "REPLY") return [frame.bytes];
  const tag = frame.bytes.length - TAG_CHARS;
  return [
    el("span", { title: "open: kind, slot, token" }, frame.bytes.slice(0, HEADER_CHARS)),
    " ",
    el("span", { class: "sealed", title: "sealed" }, frame.bytes.slice(HEADER_CHARS, tag)),
    " ",
    el("span", { title: "tag" }, frame.bytes.slice(tag)),
  ];
}

function item(frame) {
  const name = `${frame.kind || "no frame"}${frame.slot === null ? "" : `, slot ${frame.slot}`}`;
  const line = `${clock(frame.t_ns)}  ch ${frame.channel}  to ${frame.to} (${frame.address})  ${name}`;
  const count = `${frame.bytes.length / 2} bytes x ${frame.copies}`;
  return el(
    "li",
    { "data-number": frame.number },
    el(
      "div",
      { class: "heard" },
      el("div", { class: "line" }, line),
      el("code", {}, ...bytesOf(frame)),
      el("div", { class: "quiet" }, frame.injected ? `${count}, sent by this page` : count),
    ),
    el(
      "div",
      { class: frame.opened ? "opens" : "opens quiet" },
      el("span", {}, frame.opens),
      button("Use it", () => use(frame), { "aria-label": `Use it: frame ${frame.number}, ${name}` }),
    ),
  );
}

function wanted(frame) {
  const text = filter.value.trim().toLowerCase();
  const kindFits = !kind.value || (kind.value === "closed" ? !frame.opened : frame.kind === kind.value);
  return (
    kindFits &&
    (!text ||
      [frame.bytes, frame.address, frame.to, frame.opens, `ch ${frame.channel}`].some((one) =>
        one.toLowerCase().includes(text),
      ))
  );
}

/** Show the newest first. What did not change keeps its element, and with it the focus. */
function show() {
  if (paused) return;
  const shown = [...kept.values()].filter(wanted).slice(-MOST_SHOWN).reverse();
  const there = new Map(
    [...list.children].map((one) => [`${one.dataset.number}x${one.dataset.copies}`, one]),
  );
  const items = shown.map((frame) => {
    const found = there.get(`${frame.number}x${frame.copies}`);
    if (found) return found;
    const made = item(frame);
    made.dataset.copies = frame.copies;
    return made;
  });
  if (items.length === list.children.length && items.every((one, at) => one === list.children[at])) return;
  const focused =
    document.activeElement && list.contains(document.activeElement) ? document.activeElement : null;
  list.replaceChildren(...items);
  if (focused && list.contains(focused)) focused.focus();
}

function use(frame) {
  sender.channel.value = frame.channel;
  sender.address.value = frame.address;
  sender.payload.value = frame.bytes;
  sender.payload.focus();
}

const hex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
const bytesIn = (text) => Uint8Array.from(text.match(/../g) || [], (one) => parseInt(one, 16));
const plain = (input) => input.value.toLowerCase().replace(/\s/g, "");

function changed(change) {
  const bytes = bytesIn(plain(sender.payload));
  if (bytes.length) change(bytes);
  sender.payload.value = hex(bytes);
}

async function send() {
  const bad = [
    [sender.address, /^([0-9a-f]{2}){3,5}$/, "An address has 3 to 5 bytes in hex."],
    [sender.payload, /^([0-9a-f]{2}){1,32}$/, "A frame has 1 to 32 bytes in hex."],
  ].find(([input, form]) => !form.test(plain(input)));
  for (const input of [sender.address, sender.payload]) input.removeAttribute("aria-invalid");
  setText(sender.why, bad ? bad[2] : "");
  sender.why.hidden = !bad;
  if (bad) {
    bad[0].setAttribute("aria-invalid", "true");
    bad[0].focus();
    return;
  }
  await bench.attempt(
    bench.do("radio-send", {
      channel: sender.channel.valueAsNumber,
      address: plain(sender.address),
      payload: plain(sender.payload),
    }),
  );
}

function transmitter() {
  const [channelLabel, channel] = field("Channel, 0 to 125", "radio-channel", {
    type: "number",
    min: 0,
    max: 125,
    value: 76,
  });
  const [addressLabel, address] = field("Address, hex", "radio-address", {
    spellcheck: "false",
    "aria-describedby": "radio-why",
  });
  const payload = el("textarea", {
    id: "radio-payload",
    rows: 2,
    spellcheck: "false",
    "aria-describedby": "radio-why",
  });
  sender = {
    channel,
    address,
    payload,
    why: el("p", { id: "radio-why", class: "why", role: "alert", hidden: true }),
    said: el("p", { id: "radio-sent" }),
  };
  const flip = () => changed((bytes) => (bytes[bytes.length - 1] ^= 1));
  const token = () => changed((bytes) => crypto.getRandomValues(bytes.subarray(2, 5)));
  return el(
    "fieldset",
    { class: "hands", "data-action": "radio-send", "aria-describedby": "lacks-air" },
    el("h3", {}, "Transmitter of an attacker"),
    el(
      "p",
      { class: "quiet" },
      "Use a frame of the list and send it again as it is: a replay. Change it: a forgery.",
    ),
    el("div", { class: "form" }, channelLabel, channel, addressLabel, address),
    el("label", { for: "radio-payload" }, "Bytes, hex"),
    payload,
    sender.why,
    el(
      "div",
      { class: "bar" },
      button("Flip a bit of its tag", flip, { id: "radio-flip" }),
      button("Guess another token", token, { id: "radio-token" }),
      button("Send it", send, { id: "radio-send", class: "chief" }),
    ),
    sender.said,
  );
}

function attackPart() {
  let known = [];
  const [label, name] = field("Attack", "radio-attack-name", {
    options: [["", "not asked for yet"]],
    onchange: describe,
  });
  const [shareLabel, share] = field("Tries", "radio-attack-share", {
    options: [
      ["0.01", "fewest"],
      ["1", "1 % of all"],
      ["10", "10 % of all"],
    ],
  });
  const text = el("p", { id: "radio-attack-what", "aria-live": "polite" });
  function describe() {
    const one = known.find((each) => each.name === name.value);
    if (!one) return;
    const where = one.on_bench
      ? "on an emulated bench of its own, with the real firmware"
      : "at the protocol's two ends, without boards";
    setText(
      text,
      `${one.what} By ${one.who}. Success: ${one.success}. ` +
        `At least ${one.least} of ${one.tries.toLocaleString("en")} tries, ${where}.`,
    );
  }
  /** Whoever holds the controls can carry them out: then the list is asked for. */
  async function list() {
    if (known.length || !bench.holds) return;
    ({ attacks: known } = await bench.do("radio-attacks").catch(() => ({ attacks: [] })));
    name.replaceChildren(...known.map((one) => el("option", { value: one.name }, one.name)));
    describe();
  }
  bench.addEventListener("control", list);
  list();
  attacks = {
    run: button(
      "Carry it out",
      () => bench.attempt(bench.do("radio-attack", { name: name.value, percent: Number(share.value) })),
      { id: "radio-attack" },
    ),
    end: button("End it", () => bench.attempt(bench.do("radio-end-attack")), { id: "radio-attack-end" }),
    now: el("p", { id: "radio-attack-now", "aria-live": "polite" }),
  };
  results = new Rows(
    "radio-attack-results",
    "Attacks that were carried out",
    ["Attack", ["Tries"], ["Succeeded"], "Counted"],
    (one) => [
      one.name,
      [one.tries ?? "–"],
      [one.successes ?? "–"],
      one.failed ? `It failed: ${one.failed}` : `${one.detail} (${one.seconds} s)`,
    ],
  );
  return el(
    "fieldset",
    { class: "hands" },
    el("h3", {}, "Named attacks"),
    el(
      "p",
      { class: "quiet" },
      "They do not touch the bench on this page: each runs in a process of its own, against boards " +
        "or ends of its own.",
    ),
    el("div", { class: "form" }, label, name, shareLabel, share),
    text,
    el("div", { class: "bar" }, attacks.run, attacks.end),
    attacks.now,
    results.element,
  );
}

export function mount(host, theBench) {
  bench = theBench;
  frames = el("p", { id: "radio-count" });
  heard = el("p", { class: "quiet", id: "radio-keys" });
  let filterLabel, kindLabel;
  [filterLabel, filter] = field("Filter", "radio-filter", {
    type: "search",
    placeholder: "bytes, address, word",
    oninput: show,
  });
  [kindLabel, kind] = field("Kind", "radio-kind", {
    options: [
      ["", "all"],
      ["HELLO", "HELLO"],
      ["CHALLENGE", "CHALLENGE"],
      ["REQUEST", "REQUEST"],
      ["REPLY", "REPLY"],
      ["PAIR", "PAIR"],
      ["PAIR REPLY", "PAIR REPLY"],
      ["closed", "not opened"],
    ],
    onchange: show,
  });
  pause = button(
    "Pause the list",
    () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", String(paused));
      show();
    },
    { id: "radio-pause", "aria-pressed": "false" },
  );
  paused = false;
  list = el("ol", {
    id: "radio-frames",
    class: "frames",
    tabindex: "0",
    "aria-label": "Frames, the newest first",
  });
  host.append(
    el("h2", {}, title),
    reason(bench.why("radio-send"), "lacks-air"),
    frames,
    heard,
    el("div", { class: "bar" }, filterLabel, filter, kindLabel, kind, pause),
    el(
      "div",
      { class: "frame-heads", "aria-hidden": "true" },
      el("span", {}, "An eavesdropper hears"),
      el("span", {}, "The keys open"),
    ),
    list,
    el("div", { class: "radio-tools" }, transmitter(), attackPart()),
  );
  keys = "";
}

export function update(state, whole) {
  if (!state.frames) return;
  if (kept.size && state.total < Math.max(...kept.keys()) + 1) kept.clear(); // another run has begun
  for (const one of state.frames.map(row)) kept.set(one.number, one);
  for (const number of [...kept.keys()].slice(0, Math.max(0, kept.size - MOST_KEPT))) kept.delete(number);
  if (bench.why("radio-send")) return showAttacks(state); // there is no list
  setText(frames, `${state.total} frames so far${paused ? ", the list is paused" : ""}.`);
  const known = state.keys
    .map((one) => `slot ${one.slot}, a ${one.role}'s, generation ${one.generation}`)
    .join("; ");
  setText(
    heard,
    known
      ? `Keys, as they lie on the stimulator's flash: ${known}.`
      : "The stimulator is paired with nobody: there are no keys.",
  );
  show();
  setText(sender.said, state.sent ? state.sent.told : "");
  showAttacks(state);
}

function showAttacks(state) {
  attacks.run.disabled = state.attack !== null;
  attacks.end.disabled = state.attack === null;
  setText(attacks.now, state.attack === null ? "" : `Under way: ${state.attack}.`);
  results.show(
    Object.entries(state.results)
      .map(([name, one]) => ({ name, ...one }))
      .reverse(),
    "None yet.",
  );
}
