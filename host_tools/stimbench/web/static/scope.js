// The scope: two panes, what they show, and what is measured in it.

import { Cursors } from "./cursors.js";
import { button, el, field, setText } from "./dom.js";
import { savePng } from "./export.js";
import { Pane } from "./pane.js";
import { showRecorded } from "./recorded.js";
import { clock, microamps, microseconds, milliseconds, nanocoulombs, time, volts } from "./units.js";

const VIEW = 0;
const LEADS = ["Left", "Right"];
const LEAST_NS = 20_000, MOST_NS = 4 * 3600e9;
const READ_MS = 100;
const MODES = [["pulse", "Last pulse"], ["roll", "Rolling"], ["all", "Whole session"], ["span", "Fixed span"]];
const FIGURES = [
  ["width", "Width", (p) => microseconds(p.cathodic_ns)],
  ["gap", "Gap", (p) => microseconds(p.gap_ns)],
  ["anodic", "Anodic width", (p) => microseconds(p.anodic_ns)],
  ["period", "Period", (p) => (p.period_ns ? milliseconds(p.period_ns) : "first")],
  ["amplitude", "Amplitude", (p) => microamps(p.cathodic_ua)],
  ["charge", "Charge", (p) => nanocoulombs(p.cathodic_nc)],
  ["net", "Net charge", (p) => nanocoulombs(p.anodic_nc - p.cathodic_nc)],
];

export class ScopeView {
  constructor(host, bench) {
    this.bench = bench;
    this.shown = { mode: "pulse", trigger: "own", before_ns: 100e3, span_ns: 700e3, overlay: 1, from_ns: 0, to_ns: 1e9 };
    this.frozen = false;
    this.hover = null;
    this.frame = null;
    this.frames = 0;
    this.readAt = 0;
    this.#build(host, bench);
    bench.addEventListener("connection", () => bench.connected && this.#ask());
    this.#ask();
  }

  /** The x-axis as it is: [from, to] in ns. */
  get x() {
    if (this.shown.mode === "pulse") return [-this.shown.before_ns, this.shown.span_ns - this.shown.before_ns];
    if (this.shown.mode === "span") return [this.shown.from_ns, this.shown.to_ns];
    return this.frame ? [this.frame.from, this.frame.to] : [0, this.shown.span_ns];
  }

  recolour() {
    for (const pane of this.panes) {
      pane.recolour();
      pane.plot.redraw(false, true);
    }
  }

  #build(host, bench) {
    const [modeLabel, mode] = field("Show", "scope-mode", { options: MODES, onchange: () => this.#setMode(mode.value) });
    const [triggerLabel, trigger] = field("Trigger", "scope-trigger", {
      options: [["own", "each lead"], ["left", "left lead"], ["right", "right lead"]],
      onchange: () => this.#set({ trigger: trigger.value }),
    });
    const [overlayLabel, overlay] = field("Overlay", "scope-overlay", {
      options: [1, 2, 4, 8, 16, 32].map((n) => [n, n === 1 ? "1 pulse" : `${n} pulses`]),
      onchange: () => this.#set({ overlay: Number(overlay.value) }),
    });
    this.mode = mode;
    this.triggered = [trigger, overlay];
    this.freezeButton = button("Freeze", () => this.freeze(!this.frozen), { "aria-pressed": "false", id: "scope-freeze" });
    this.bar = el("div", { class: "bar", role: "group", "aria-label": "What the scope shows" },
      modeLabel, mode, triggerLabel, trigger, overlayLabel, overlay, this.freezeButton,
      button("Zoom in", () => this.zoom(0.5)), button("Zoom out", () => this.zoom(2)),
      button("Earlier", () => this.pan(-0.25)), button("Later", () => this.pan(0.25)),
      button("PNG", () => savePng(this.panes, this.frame?.end ?? 0), { id: "scope-png", "aria-label": "Save as PNG" }),
      ...bench.spanKinds.map((kind) => button(kind.toUpperCase(), () => this.#save(kind),
        { id: `scope-${kind}`, "aria-label": `Save as ${kind.toUpperCase()}` })));
    this.recorded = el("p", { id: "scope-recorded", class: "recorded", hidden: true });
    host.append(this.bar, this.recorded);
    this.bench.addEventListener("state", () => showRecorded(this.recorded, this.bench.state));
    this.panes = [];
    this.readouts = [];
    LEADS.forEach((name, lead) => {
      const plot = el("div", { class: "plot", tabindex: "0", role: "img", "aria-label": `${name} lead: current and voltage`,
        onkeydown: (event) => this.#key(event), onwheel: (event) => this.#wheel(event, lead) });
      const values = {};
      const list = el("dl", { class: "figures readout", "aria-label": `${name} lead, pulse` });
      for (const [key, label] of [...FIGURES, ["here", "At the cursor"]]) {
        values[key] = el("dd", { id: `scope-${name.toLowerCase()}-${key}` }, "–");
        list.append(el("div", {}, el("dt", {}, label), values[key]));
      }
      host.append(el("section", { class: "lead", "aria-label": `${name} lead` }, el("h3", {}, name), plot, list));
      this.readouts.push(values);
      this.panes.push(new Pane(plot, name, {
        selected: (from, to) => this.zoomTo(from, to),
        moved: (x) => { this.hover = x; this.#read(true); },
        clicked: (x, second) => this.cursors.set(second ? 1 : 0, x),
      }));
    });
    const bar = el("div", { role: "group", "aria-label": "Cursors" });
    host.append(bar);
    this.cursors = new Cursors(bar, this.panes);
    this.cursors.read();
  }

  // What is shown.

  #setMode(mode) {
    this.cursors.set(0, null);
    this.cursors.set(1, null);
    if (mode === "span") {
      const [from, to] = this.shown.mode === "pulse" && this.frame ? this.#absolute() : this.x;
      this.#set({ mode, from_ns: Math.max(0, from), to_ns: to });
    } else if (mode === "roll") this.#set({ mode, span_ns: 2e9 });
    else if (mode === "pulse") this.#set({ mode, before_ns: 100e3, span_ns: 700e3 });
    else this.#set({ mode });
  }

  /** The whole session. */
  showAll() {
    this.#setMode("all");
  }

  #absolute() {
    const newest = this.frame.traces.filter((one) => one.age === 0).map((one) => one.origin);
    const at = newest.length ? Math.max(...newest) : this.frame.end;
    return this.x.map((t) => at + t);
  }

  #save(kind) {
    let [from, to] = this.x;
    if (this.shown.mode === "pulse") {
      const origins = (this.frame?.traces ?? []).map((one) => one.origin);
      from += Math.min(...origins);
      to += Math.max(...origins);
    }
    return this.bench.attempt(this.bench.saveSpan(kind, from || 0, to || 0));
  }

  #set(change) {
    Object.assign(this.shown, change);
    this.mode.value = this.shown.mode;
    for (const one of this.triggered) one.disabled = this.shown.mode !== "pulse";
    for (const pane of this.panes) pane.setX(...this.x);
    if (this.frozen) this.freeze(false);
    else this.#ask();
  }

  #ask() {
    const width = Math.max(100, Math.round(this.panes[0].plot.bbox.width) || 800);
    this.bench.watch(VIEW, { ...this.shown, width: Math.min(4096, width) }, (frame) => this.#take(frame));
  }

  freeze(frozen) {
    this.frozen = frozen;
    this.freezeButton.setAttribute("aria-pressed", String(frozen));
    if (frozen) this.bench.unwatch(VIEW);
    else this.#ask();
    this.#read(true);
  }

  zoomTo(from, to) {
    const span = Math.min(MOST_NS, Math.max(LEAST_NS, to - from));
    const middle = (from + to) / 2;
    [from, to] = [middle - span / 2, middle + span / 2];
    if (this.shown.mode === "pulse" && from <= 0) this.#set({ before_ns: Math.max(0, -from), span_ns: span });
    else if (this.shown.mode === "roll") this.#set({ span_ns: span });
    else {
      if (this.shown.mode === "pulse" && this.frame) {
        const shift = this.#absolute()[0] - this.x[0];
        [from, to] = [from + shift, to + shift];
      }
      from = Math.max(0, from);
      this.#set({ mode: "span", from_ns: from, to_ns: from + span });
    }
  }

  zoom(factor, at = null) {
    const [from, to] = this.x;
    const fixed = at ?? (this.shown.mode === "pulse" ? 0 : (from + to) / 2);
    this.zoomTo(fixed + (from - fixed) * factor, fixed + (to - fixed) * factor);
  }

  pan(share) {
    const [from, to] = this.x;
    const by = (to - from) * share;
    if (this.shown.mode === "roll" || this.shown.mode === "all") this.#setMode("span");
    if (this.shown.mode === "pulse" && from + by > 0) return;
    this.zoomTo(from + by, to + by);
  }

  #key(event) {
    const does = {
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      ArrowLeft: () => this.pan(-0.1), ArrowRight: () => this.pan(0.1),
      Home: () => this.#setMode("all"), End: () => this.#setMode("pulse"),
    }[event.key];
    if (does) {
      event.preventDefault();
      does();
    }
  }

  #wheel(event, lead) {
    event.preventDefault();
    const { plot } = this.panes[lead];
    const left = event.clientX - plot.over.getBoundingClientRect().left;
    this.zoom(event.deltaY > 0 ? 1.25 : 0.8, plot.posToVal(left, "x"));
  }

  // What comes.

  #take(frame) {
    frame.triggered = this.shown.mode === "pulse";
    if (this.waiting) this.bench.drawn(this.waiting);
    else requestAnimationFrame(() => this.#draw());
    this.waiting = frame;
  }

  #draw() {
    const frame = this.frame = this.waiting;
    this.waiting = null;
    this.frames++;
    for (const pane of this.panes) pane.show(frame, ...this.x);
    this.bench.drawn(frame);
    this.#read(this.frozen);
  }

  #read(atOnce) {
    const now = performance.now();
    if (!this.frame) return;
    const rest = READ_MS - (now - this.readAt);
    if (!atOnce && rest > 0) {
      this.later ??= setTimeout(() => this.#read(true), rest);
      return;
    }
    clearTimeout(this.later);
    this.later = null;
    this.readAt = now;
    this.cursors.read();
    this.panes.forEach((pane, lead) => {
      const pulse = this.#pulseAt(pane, this.frame.pulses[lead]);
      for (const [key, , text] of FIGURES) setText(this.readouts[lead][key], pulse ? text(pulse) : "–");
      setText(this.readouts[lead].here, this.#here(pane));
    });
  }

  /** The pulse under the cursor, else the newest. */
  #pulseAt(pane, pulses) {
    if (this.hover === null || !pulses.length) return pulses.at(-1);
    const trace = pane.traces(0).at(-1);
    const t = this.hover + (this.frame.triggered && trace ? trace.origin : 0);
    return pulses.filter((one) => one.start_ns <= t).at(-1) || pulses[0];
  }

  #here(pane) {
    if (this.hover === null) return "–";
    const [i, v] = [pane.valueAt(0, this.hover), pane.valueAt(1, this.hover)];
    const at = this.frame.triggered ? time(this.hover) : clock(this.hover);
    return `${at}: ${i === null ? "–" : microamps(i)}, ${v === null ? "–" : volts(v)}`;
  }
}
