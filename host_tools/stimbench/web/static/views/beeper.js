// The remote's buzzer through the loudspeaker: after a gesture of the person, and never while it is muted.

const KEY = "stimbench-sound";
const LOUDNESS = 0.08;
const EDGE_S = 0.003;
const NO_NEWS_S = 0.6;

export class Beeper {
  #context = null;

  constructor() {
    this.muted = localStorage.getItem(KEY) === "off";
    const begin = () => this.#begin();
    for (const gesture of ["pointerdown", "keydown"])
      document.addEventListener(gesture, begin, { once: true });
  }

  setMuted(muted) {
    this.muted = muted;
    localStorage.setItem(KEY, muted ? "off" : "on");
    if (muted) this.#silence();
    else this.#begin();
  }

  /** Sound what fell into a span: `tones` are [start_ns, end_ns, hz]; the span lasts `ms` from now on. */
  play(tones, { from, to, ms }) {
    if (!this.#context || this.muted || to <= from) return;
    const { currentTime: now } = this.#context;
    const at = (t) => now + Math.max(0, ((t - from) / (to - from)) * (ms / 1000));
    this.#silence();
    for (const [start, end, hz] of tones) {
      if (end <= from || start >= to) continue;
      this.oscillator.frequency.setValueAtTime(hz, at(start));
      this.gain.gain.setTargetAtTime(LOUDNESS, at(start), EDGE_S);
      // One that still sounds goes on until the next state, or until none comes.
      this.gain.gain.setTargetAtTime(0, end < to - 5e6 ? at(end) : now + NO_NEWS_S, EDGE_S);
    }
    if (!tones.some(([start, end]) => end > from && start < to))
      this.gain.gain.setTargetAtTime(0, now, EDGE_S);
  }

  #begin() {
    if (this.#context || this.muted || !window.AudioContext) return;
    this.#context = new AudioContext();
    this.oscillator = this.#context.createOscillator();
    this.gain = this.#context.createGain();
    this.gain.gain.value = 0;
    this.oscillator.type = "square";
    this.oscillator.connect(this.gain).connect(this.#context.destination);
    this.oscillator.start();
  }

  #silence() {
    if (!this.#context) return;
    this.gain.gain.cancelScheduledValues(this.#context.currentTime);
    this.oscillator.frequency.cancelScheduledValues(this.#context.currentTime);
    if (this.muted) this.gain.gain.setTargetAtTime(0, this.#context.currentTime, EDGE_S);
  }
}
