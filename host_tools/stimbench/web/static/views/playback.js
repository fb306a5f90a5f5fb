// States come ten times a second; what happened between two of them is played while the next one comes.

const LEAST_MS = 40,
  MOST_MS = 400;

export class Playback {
  #from = 0;
  #to = 0;
  #came = 0;
  #began = 0;
  #span = 1;
  #drawing = false;

  /** `show(t_ns)` draws the bench as it was then. */
  constructor(show) {
    this.show = show;
  }

  /**
   * A state has come.
   * @param to its time, ns
   * @param moves whether something changes between the last state and this one
   * @returns {from, to, ms}: what is played, in how many ms of the wall's clock
   */
  take(to, moves) {
    const now = performance.now();
    this.#from = to >= this.#to && now - this.#came < 2 * MOST_MS ? this.#to : to;
    this.#to = to;
    this.#span = Math.min(MOST_MS, Math.max(LEAST_MS, now - this.#came));
    this.#came = this.#began = now;
    if (!moves) this.show(to);
    else if (!this.#drawing) this.#draw();
    return { from: this.#from, to, ms: this.#span };
  }

  #draw() {
    const share = Math.min(1, (performance.now() - this.#began) / this.#span);
    this.show(this.#from + (this.#to - this.#from) * share);
    this.#drawing = share < 1;
    if (this.#drawing) requestAnimationFrame(() => this.#draw());
  }
}
