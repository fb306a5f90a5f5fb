// The connection to the server. Views use it as `bench`; see docs/web.md.

import { saveSpan } from "./export.js";
import { Speaker } from "./speaker.js";
import { decode } from "./wire.js";

const ALIVE_MS = 1000;
const AGAIN_MS = [250, 500, 1000, 2000];

/** A key of this tab: after a reload it gets its controls back. */
function tabKey() {
  let key = sessionStorage.getItem("stimbench-tab");
  if (!key) {
    key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
    sessionStorage.setItem("stimbench-tab", key);
  }
  return key;
}

export class Bench extends Speaker {
  /** What the bench and the views show, as the server told it last. */
  state = { t_ns: 0, pace: {}, stimulator: { answers: false }, views: {}, repeating: null };
  /** The controls: holder, asking, pages. */
  control = { holder: null, asking: [], pages: [] };
  /** The run: marks, count, first, actions, config. */
  run = { marks: [], count: 0, first: 0, actions: [], config: {} };
  /** This page's number, and what can be done. */
  you = 0;
  actions = {};
  /** What stays as it is of each view, by its name. */
  about = {};
  /** Why this bench has it not, by view and by need (web/needs.py): empty texts on an emulated one. */
  lacks = { views: {}, needs: {} };
  connected = false;
  /** As what a span of the record can be saved. */
  spanKinds = ["csv", "vcd"];

  #socket = null;
  #asked = new Map();
  #number = 0;
  #watches = new Map();
  #tries = 0;

  constructor() {
    super();
    setInterval(() => this.#send({ kind: "alive" }), ALIVE_MS);
    this.#connect();
  }

  /** Whether this page holds the controls. */
  get holds() {
    return this.control.holder === this.you && this.you !== 0;
  }

  /** Why an action cannot be done on this bench at all; empty if it can. */
  why(action) {
    return this.actions[action]?.lacks || "";
  }

  /** Do an action of the table; the promise has its result, or fails with its reason. */
  do(name, args = {}) {
    return this.#ask({ kind: "do", name, arguments: args });
  }

  /** Mark, rewind, what-if, link, open, new, actions, invite: see web/wire.py. */
  withRun(verb, more = {}) {
    return this.#ask({ kind: "run", verb, ...more });
  }

  /** The module of a view. */
  load(name) {
    return import(`./views/${name}.js`);
  }

  /** A span of the record as a file. */
  saveSpan(kind, from, to) {
    return saveSpan(kind, from, to);
  }

  /** STOP: ahead of all else, by whoever looks on. */
  stop() {
    this.#send({ kind: "stop" });
  }

  pace(change) {
    this.#send({ kind: "pace", ...change });
  }

  controls(verb, page = 0) {
    this.#send({ kind: "control", verb, page });
  }

  /** Show a window of the record; `show(frame)` is called with each new one, and calls `drawn(frame)`. */
  watch(view, wanted, show) {
    this.#watches.set(view, { wanted, show });
    this.#send({ kind: "watch", view, ...wanted });
  }

  unwatch(view) {
    this.#watches.delete(view);
    this.#send({ kind: "unwatch", view });
  }

  drawn(frame) {
    this.#send({ kind: "seen", view: frame.view, sequence: frame.sequence });
  }

  #ask(message) {
    const id = ++this.#number;
    return new Promise((resolve, reject) => {
      if (!this.connected) {
        reject(new Error("There is no connection to the bench."));
        return;
      }
      this.#asked.set(id, { resolve, reject });
      this.#send({ ...message, id });
    });
  }

  #send(message) {
    if (this.#socket && this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #connect() {
    const socket = new WebSocket(`ws://${location.host}/ws`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#socket = socket;
      this.#tries = 0;
      this.connected = true;
      this.#send({ kind: "hello", key: tabKey() });
      for (const [view, { wanted }] of this.#watches) this.#send({ kind: "watch", view, ...wanted });
      this.tell("connection");
    };
    socket.onmessage = ({ data }) => (typeof data === "string" ? this.#text(JSON.parse(data)) : this.#frame(data));
    socket.onclose = () => {
      this.connected = false;
      for (const { reject } of this.#asked.values()) reject(new Error("The connection to the bench was lost."));
      this.#asked.clear();
      this.tell("connection");
      setTimeout(() => this.#connect(), AGAIN_MS[Math.min(this.#tries++, AGAIN_MS.length - 1)]);
    };
  }

  #frame(data) {
    const frame = decode(data);
    const watched = frame && this.#watches.get(frame.view);
    if (watched) watched.show(frame);
    else if (frame) this.drawn(frame);
  }

  #text(message) {
    const { kind, ...told } = message;
    if (kind === "done") {
      const asked = this.#asked.get(told.id);
      this.#asked.delete(told.id);
      if (!asked && told.error) this.say(told.error, true);
      else if (asked && told.error) asked.reject(Object.assign(new Error(told.error), { field: told.field }));
      else if (asked) asked.resolve(told.result);
      return;
    }
    if (kind === "state") this.state = told;
    else if (kind === "control") this.control = told;
    else if (kind === "run") this.run = told;
    else if (kind === "welcome") this.you = told.you;
    else if (kind === "table") Object.assign(this, { actions: told.actions, about: told.about, lacks: told.lacks });
    else if (kind === "said") this.say(told.text, told.error);
    this.tell(kind, told);
  }
}
