// Figures with units, always of the same width where they stand in columns.

const STEPS = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];

/** The unit that fits a span of ns: [ns in one unit, name]. */
export function timeUnit(ns) {
  return STEPS.find(([size]) => Math.abs(ns) >= size) || STEPS[3];
}

/** A time or duration in the unit that fits it: `214.000 µs`. */
export function time(ns, digits = 3) {
  const [size, name] = timeUnit(ns);
  return `${(ns / size).toFixed(size === 1 ? 0 : digits)} ${name}`;
}

export const microseconds = (ns) => `${(ns / 1e3).toFixed(3)} µs`;
export const milliseconds = (ns) => `${(ns / 1e6).toFixed(3)} ms`;
/** A figure that was not measured is a dash. */
const orDash = (value, text) => (Number.isNaN(value) ? "–" : text);
export const microamps = (ua) => orDash(ua, `${ua.toFixed(1)} µA`);
export const volts = (v) => `${v.toFixed(3)} V`;
export const nanocoulombs = (nc) => orDash(nc, `${nc.toFixed(2)} nC`);

/** Bench time: `1:02.345` above a minute, `2.345 s` below. */
export function clock(ns) {
  const s = ns / 1e9;
  if (s < 60) return `${s.toFixed(3)} s`;
  const minutes = Math.floor(s / 60);
  return `${minutes}:${(s - 60 * minutes).toFixed(3).padStart(6, "0")}`;
}

/** The next bound of 1, 2, 5 x 10^n at or above a value. */
export function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((k) => k * power).find((bound) => bound >= value * 0.999999);
}
