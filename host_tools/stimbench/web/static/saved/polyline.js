// A quantity over time as one broken line: the twin of web/polyline.py, which says what a window is. Both give
// the same numbers, also where those are rounded to 32 bits.

const FACTOR = 16;
const MOST_POINTS = 4;
const { fround } = Math;

/** Where `value` would stand in rising `sorted`: before those equal to it, or behind them. */
export function searchLeft(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function searchRight(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The least, or the largest, of each 16 values, of each 256, and so on. */
function pyramid(values, better) {
  const levels = [values];
  for (let below = values; below.length >= FACTOR; ) {
    const level = new Float32Array(Math.floor(below.length / FACTOR));
    for (let k = 0; k < level.length; k++) {
      let best = below[k * FACTOR];
      for (let n = k * FACTOR + 1; n < (k + 1) * FACTOR; n++) if (better(below[n], best)) best = below[n];
      level[k] = best;
    }
    levels.push(level);
    below = level;
  }
  return levels;
}

export class Polyline {
  /** `times` in ns, rising, a Float64Array; `values` a Float32Array of the same length. */
  constructor(times, values) {
    this.times = times;
    this.values = values;
    this.lows = pyramid(values, (one, other) => one < other);
    this.highs = pyramid(values, (one, other) => one > other);
  }

  /** What a screen `width` pixels wide shows of a span: {bands, t, a} and b of bands. */
  window(from, to, width) {
    const { times } = this;
    const none = { bands: false, t: new Float64Array(0), a: new Float32Array(0) };
    if (!times.length) return none;
    [from, to] = [Math.max(from, times[0]), Math.min(to, times.at(-1))];
    if (to < from) return none;
    const [first, last] = [searchLeft(times, from), searchRight(times, to)];
    if (last - first <= MOST_POINTS * width || to - from < width) return this.#line(from, to, first, last);
    return this.#bands(from, to, width);
  }

  #line(from, to, first, last) {
    const [t, a] = [[...this.times.subarray(first, last)], [...this.values.subarray(first, last)]];
    if (!t.length || t[0] > from) {
      t.unshift(from);
      a.unshift(this.#at(from, searchLeft));
    }
    if (t.at(-1) < to) {
      t.push(to);
      a.push(this.#at(to, searchLeft));
    }
    return { bands: false, t: Float64Array.from(t), a: Float32Array.from(a) };
  }

  #bands(from, to, width) {
    // from + (to - from) * k / width, rounded down, in whole numbers below 2**53.
    const whole = Math.floor((to - from) / width), rest = to - from - whole * width;
    const edge = (k) => from + whole * k + Math.floor((rest * k) / width);
    const [t, a, b] = [new Float64Array(width), new Float32Array(width), new Float32Array(width)];
    for (let k = 0; k < width; k++) {
      const [begin, end] = [edge(k), edge(k + 1)];
      t[k] = Math.floor((begin + end) / 2);
      const [first, last] = [searchLeft(this.times, begin), searchRight(this.times, end)];
      const bounds = [this.#at(begin, searchLeft), this.#at(end, searchRight)];
      a[k] = Math.min(...bounds, best(this.lows, first, last, Math.min, Infinity));
      b[k] = Math.max(...bounds, best(this.highs, first, last, Math.max, -Infinity));
    }
    return { bands: true, t, a, b };
  }

  /** The value at a time within the line; at a jump any of both. */
  #at(t, search) {
    const { times, values } = this;
    const last = times.length - 1;
    const after = Math.min(Math.max(1, search(times, t)), Math.max(1, last), last);
    const before = Math.max(after - 1, 0);
    const span = Math.max(times[after] - times[before], 1);
    const share = Math.min(1, Math.max(0, (t - times[before]) / span));
    const [low, high] = [values[before], values[after]];
    return share >= 1 ? high : fround(low + fround(fround(high - low) * fround(share)));
  }
}

/** The best of the points `first` to before `last`: whole bins from above, what lies beside them from below. */
function best(levels, first, last, better, found) {
  for (let level = 0; first < last; level++) {
    const values = levels[level];
    const top = level === levels.length - 1;
    const innerFirst = Math.ceil(first / FACTOR), innerLast = Math.floor(last / FACTOR);
    const short = top || innerFirst >= innerLast;
    for (let k = first; k < (short ? last : innerFirst * FACTOR); k++) found = better(found, values[k]);
    if (short) break;
    for (let k = innerLast * FACTOR; k < last; k++) found = better(found, values[k]);
    [first, last] = [innerFirst, innerLast];
  }
  return found;
}
