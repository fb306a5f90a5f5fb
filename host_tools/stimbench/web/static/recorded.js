// Of a wired bench: what is recorded, by what, and how exactly it lies on the page's clock.

import { setText } from "./dom.js";

const GAP = "Between two captures nothing is known: nothing is drawn and no period is measured there.";

/** Say it, in the words of the state; nothing on an emulated bench, where all is recorded. */
export function showRecorded(place, { wired, t_ns: now }) {
  place.hidden = !wired;
  if (!wired) return;
  const { captures, capture_ms: lasts } = wired;
  if (!captures.length) {
    setText(place, "No instrument is in the bench file: nothing is recorded.");
    return;
  }
  setText(place, `${captures.map((one) => said(one, lasts, now)).join(" ")} ${GAP}`);
}

function said(one, lasts, now) {
  const how = one.own_length ? "captures as long as it is set" : `captures of ${lasts / 1000} s`;
  const what = `${one.name}: ${how}, one after another, of ${one.signals.join(", ")}; ${current(one)}`;
  if (one.error) return `${what}. Now: ${one.error}`;
  if (one.end_ns === null) return `${what}. None yet.`;
  const ago = Math.max(0, (now - one.end_ns) / 1e9).toFixed(0);
  const off = one.off_ns < 1e9 ? `${Math.ceil(one.off_ns / 1e6)} ms` : `${(one.off_ns / 1e9).toFixed(1)} s`;
  return `${what}. The newest of ${one.count} ended ${ago} s ago. On this clock it may lie ${off} off, because only ` +
    "this machine's clock saw it begin; times within it are the instrument's.";
}

/** A current is drawn if it was measured, and not made up from the programme. */
function current({ signals }) {
  return signals.some((name) => name.startsWith("I_"))
    ? "currents as it measures them"
    : "it records no current: figures of time only";
}
