// Windows of the record as a page gets them from the server: the twin of web/scope.py. In the place of the
// record's end stands the time that is played: what came later is not shown.

import { searchLeft, searchRight } from "./polyline.js";

const MOST_PULSES = 256;
const LONGEST_PULSE_NS = 10e6;
const TRIGGERS = ["left", "right"];

export class Windows {
  /** @param leads left and right: `lines` (current, voltage), `pulses` (a typed array a field) */
  constructor(leads, end) {
    this.leads = leads;
    this.end = end;
    for (const lead of leads) {
      const { start_ns: start, cathodic_ns: cathodic, gap_ns: gap, anodic_ns: anodic } = lead.pulses;
      lead.over = start.map((at, k) => at + cathodic[k] + Math.max(gap[k], 0) + anodic[k]);
    }
  }

  /** What a frame depends on: equal texts, equal frames. */
  shows(wanted, now) {
    if (wanted.mode === "pulse") return this.leads.map((_, at) => this.#edges(wanted, at, now).at(-1)).join();
    return String(wanted.mode === "span" ? Math.min(now, Math.floor(wanted.to_ns)) : now);
  }

  /** The frame of a window as of wire.js, at a time. */
  frame(view, wanted, now) {
    const made = { view, sequence: 0, end: now, traces: [], pulses: [] };
    if (wanted.mode === "pulse") return this.#triggered(made, wanted, now);
    [made.from, made.to] = bounds(wanted, now);
    this.leads.forEach(({ lines }, lead) => {
      lines.forEach((line, quantity) => {
        const shape = line.window(made.from, Math.min(made.to, now), wanted.width);
        made.traces.push({ lead, quantity, age: 0, origin: 0, ...shape });
      });
      made.pulses.push(this.#pulses(lead, made.from, made.to, now));
    });
    return made;
  }

  /** When the next pulse of either lead is whole on a screen that shows `behind` ns after its edge, after or before. */
  step(now, behind, direction) {
    const shown = this.leads.flatMap((lead, at) => {
      const k = direction > 0 ? this.#shown(at, now, behind) : this.#shown(at, now, behind) - 2;
      const start = lead.pulses.start_ns[k];
      return start === undefined ? [] : [Math.max(start + behind, lead.over[k])];
    });
    const others = shown.filter((t) => (direction > 0 ? t > now : t < now));
    return others.length ? Math[direction > 0 ? "min" : "max"](...others) : null;
  }

  /** How many pulses of a lead are over and have been shown for `behind` ns. */
  #shown(at, now, behind) {
    const { pulses, over } = this.leads[at];
    return Math.min(searchRight(pulses.start_ns, now - behind), searchRight(over, now));
  }

  #edges(wanted, at, now) {
    const source = wanted.trigger === "own" ? at : TRIGGERS.indexOf(wanted.trigger);
    const behind = Math.min(Math.floor(wanted.span_ns - wanted.before_ns), LONGEST_PULSE_NS);
    const whole = this.#shown(source, now, behind);
    return [...this.leads[source].pulses.start_ns.subarray(Math.max(0, whole - wanted.overlay), whole)];
  }

  #triggered(made, wanted, now) {
    made.from = -Math.floor(wanted.before_ns);
    made.to = made.from + Math.floor(wanted.span_ns);
    this.leads.forEach(({ lines }, lead) => {
      const edges = this.#edges(wanted, lead, now);
      edges.toReversed().forEach((edge, age) => {
        lines.forEach((line, quantity) => {
          const shape = line.window(edge + made.from, Math.min(edge + made.to, now), wanted.width);
          shape.t = shape.t.map((t) => t - edge);
          made.traces.push({ lead, quantity, age, origin: edge, ...shape });
        });
      });
      const edge = edges.at(-1);
      made.pulses.push(edges.length ? this.#pulses(lead, edge + made.from, edge + made.to, now) : []);
    });
    return made;
  }

  #pulses(at, from, to, now) {
    const { pulses, over } = this.leads[at];
    const last = Math.min(searchLeft(pulses.start_ns, to), searchRight(over, now));
    const first = Math.max(searchLeft(pulses.start_ns, from), last - MOST_PULSES);
    const found = [];
    for (let k = first; k < last; k++) {
      found.push(Object.fromEntries(Object.entries(pulses).map(([name, values]) => [name, values[k]])));
    }
    return found;
  }
}

function bounds({ mode, from_ns, to_ns, span_ns }, now) {
  if (mode === "span") return [Math.floor(from_ns), Math.floor(to_ns)];
  if (mode === "all") return [0, Math.max(now, 1)];
  return [now - Math.floor(span_ns), now];
}
