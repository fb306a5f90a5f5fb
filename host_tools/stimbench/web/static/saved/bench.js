// In the place of ../bench.js: the same for views and scope, but all of it comes from the file, and the time is
// that which is played. Nothing can be done here.

import { saveCsv } from "./csv.js";
import { History } from "./history.js";
import { Speaker } from "../speaker.js";
import { modules } from "./views.js";

const NOTHING = { t_ns: 0, stimulator: { answers: false }, views: {}, repeating: null };
const TOLD_MS = 100;
const SHOWN_FORCES = 400;
const REFUSED = "This is a saved run: nothing is connected.";

export class SavedBench extends Speaker {
  control = { holder: null, asking: [], pages: [] };
  you = 0;
  connected = true;
  holds = false;
  /** For the view "run" and the scope: where they differ. */
  saved = true;
  spanKinds = ["csv"];

  #watches = new Map();
  #history;
  #t = 0;
  #factor = 1;
  #playing = false;
  #frameAt = 0;
  #toldAt = -Infinity;

  /** Why an action cannot be done on this bench at all; see bench.js. */
  why(action) {
    return this.actions[action]?.lacks || "";
  }

  /** @param run from loadRun() */
  constructor(run) {
    super();
    const { about, windows, force, table, states } = run;
    Object.assign(this, { facts: about, windows, force, end: about.end_ns, actions: table.actions ?? {}, about: table.about ?? {},
      lacks: table.lacks ?? { views: {}, needs: {} } });
    this.views = table.views ?? [];
    this.#history = new History(states);
    this.run = { marks: about.marks, count: about.actions.length, first: 0, actions: about.actions, config: about.config };
    this.state = this.#state();
  }

  // What views and scope use, as of ../bench.js.

  do() {
    return Promise.reject(new Error(REFUSED));
  }

  withRun(verb) {
    return verb === "link" ? Promise.resolve({ link: this.facts.link }) : this.do();
  }

  stop() {
    this.say(REFUSED, true);
  }

  async saveSpan(_kind, from, to) {
    saveCsv(this.windows.leads, Math.max(0, Math.floor(from)), Math.min(this.#t, Math.ceil(to)));
  }

  load(name) {
    return Promise.resolve(modules[name]);
  }

  watch(view, wanted, show) {
    this.#watches.set(view, { wanted, show, shown: null, busy: false });
    this.#show();
  }

  unwatch(view) {
    this.#watches.delete(view);
  }

  drawn({ view }) {
    const watched = this.#watches.get(view);
    if (watched) watched.busy = false;
    this.#show();
  }

  // Playing.

  get t() {
    return this.#t;
  }

  get playing() {
    return this.#playing;
  }

  /** Bench seconds a second. */
  set factor(factor) {
    this.#factor = factor;
  }

  /** Play, or stand still. At the end it begins anew. */
  play(playing) {
    if (playing && this.#t >= this.end) this.seek(0);
    this.#playing = playing && this.end > 0;
    this.#frameAt = performance.now();
    if (this.#playing) requestAnimationFrame((now) => this.#go(now));
    this.#tellState();
  }

  /** Go to a time, in ns. */
  seek(t) {
    this.#to(t);
    this.#tellState();
  }

  /** To the next pulse (1), or the one before (-1), and stand still there. */
  step(direction) {
    const { mode, span_ns: span, before_ns: before } = this.#watches.get(0)?.wanted ?? {};
    const behind = mode === "pulse" ? Math.min(Math.floor(span - before), 10e6) : 0;
    const found = this.windows.step(this.#t, behind, direction);
    this.#playing = false;
    if (found === null) this.say(direction > 0 ? "There is no later pulse." : "There is no earlier pulse.");
    else this.#to(found);
    this.#tellState();
  }

  #to(t) {
    this.#t = Math.min(this.end, Math.max(0, Math.round(t)));
    this.#show();
  }

  #go(now) {
    if (!this.#playing) return;
    this.#to(this.#t + Math.max(0, now - this.#frameAt) * 1e6 * this.#factor);
    this.#frameAt = Math.max(now, this.#frameAt);
    if (this.#t >= this.end) this.#playing = false;
    if (!this.#playing || now - this.#toldAt >= TOLD_MS) this.#tellState();
    if (this.#playing) requestAnimationFrame((later) => this.#go(later));
  }

  #show() {
    for (const [view, watched] of this.#watches) {
      const shows = watched.busy ? watched.shown : this.windows.shows(watched.wanted, this.#t);
      if (shows === watched.shown) continue;
      Object.assign(watched, { shown: shows, busy: true });
      watched.show(this.windows.frame(view, watched.wanted, this.#t));
    }
  }

  #tellState() {
    this.#toldAt = performance.now();
    this.state = this.#state();
    this.tell("state", this.state);
  }

  /** The state that was told last until now, with the played time in the place of its own. */
  #state() {
    const told = this.#history.at(this.#t) ?? NOTHING;
    const pace = { factor: this.#factor, measured: null, paused: !this.#playing };
    return { ...NOTHING, ...told, t_ns: this.#t, pace, repeating: null, views: this.#withForces(told.views) };
  }

  /** The muscles' forces are a series of their own, beside the states. */
  #withForces(views) {
    const muscles = views.leads?.muscles;
    if (!muscles?.sides) return views;
    const sides = Object.fromEntries(Object.entries(muscles.sides).map(([name, side]) => {
      const now = Math.floor(muscles.to_ns / this.facts.force_step_ns) + 1;
      return [name, { ...side, force: Array.from(this.force[name].subarray(Math.max(0, now - SHOWN_FORCES), now)) }];
    }));
    return { ...views, leads: { ...views.leads, muscles: { ...muscles, sides } } };
  }
}
