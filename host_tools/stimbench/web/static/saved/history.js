// What the run's page was told, over time: the twin of web/history.py, which says how changes are written.

/** The state that a change makes of another one, which stays as it is. */
function patched(before, change) {
  if ("v" in change) return change.v;
  if ("a" in change) return [...before.slice(change.k), ...change.a];
  const found = { ...before };
  for (const key of change.d ?? []) delete found[key];
  for (const [key, one] of Object.entries(change.p)) found[key] = patched(before[key], one);
  return found;
}

export class History {
  /** @param chunks lists of [t_ns, state or change]; the first of a list is whole */
  constructor(chunks) {
    this.entries = chunks.flatMap((chunk) => chunk.map(([t, told], k) => ({ t, told, whole: k === 0 })));
    this.found = { at: -1, state: null };
  }

  /** The last state that was told until a time; null before the first one. */
  at(t) {
    let low = 0, high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.entries[middle].t <= t) low = middle + 1;
      else high = middle;
    }
    const wanted = low - 1;
    if (wanted < 0) return null;
    let { at, state } = this.found;
    if (at > wanted || at < this.#wholeBefore(wanted)) at = this.#wholeBefore(wanted) - 1;
    for (at += 1; at <= wanted; at++) {
      const { told, whole } = this.entries[at];
      state = whole ? told : patched(state, told);
    }
    this.found = { at: wanted, state };
    return state;
  }

  #wholeBefore(at) {
    while (!this.entries[at].whole) at -= 1;
    return at;
  }
}
