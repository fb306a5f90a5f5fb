// A span of a saved run as a table, as capture/csv_table.py writes it: the analog channels.

import { save } from "../dom.js";
import { searchLeft, searchRight } from "./polyline.js";

const HEAD = ["time_ns", "I_LEFT (uA)", "V_LEFT (V)", "I_RIGHT (uA)", "V_RIGHT (V)"];

/** A line's value at a time: what it comes to there, or goes on from. It is 0 where it is not known. */
function valueAt({ times, values }, t, goesOn) {
  const after = goesOn ? searchRight(times, t) : searchLeft(times, t);
  const at = goesOn ? after - 1 : after;
  if (times[at] === t) return values[at];
  if (after === 0 || after >= times.length) return 0;
  const [t0, t1] = [times[after - 1], times[after]];
  return values[after - 1] + (values[after] - values[after - 1]) * ((t - t0) / (t1 - t0));
}

/** The table's text, from one time to another, ns. Where a channel jumps there are two rows of one time. */
export function csvOf(lines, from, to) {
  const inside = lines.flatMap(({ times }) => [...times.subarray(searchLeft(times, from), searchRight(times, to))]);
  const instants = [...new Set([from, ...inside, to])].sort((one, other) => one - other);
  const rows = [HEAD];
  instants.forEach((t, row) => {
    const now = lines.map((line) => valueAt(line, t, true));
    const was = lines.map((line) => valueAt(line, t, false));
    if (row && was.some((value, k) => value !== now[k])) rows.push([t, ...was]);
    rows.push([t, ...now]);
  });
  return `${rows.map((row) => row.join(",")).join("\r\n")}\r\n`;
}

/** The table as a file. */
export function saveCsv(leads, from, to) {
  if (to <= from) throw new Error("There is nothing in this span to be saved.");
  save(`stimbench-${from}-${to}.csv`, new Blob([csvOf(leads.flatMap(({ lines }) => lines), from, to)], { type: "text/csv" }));
}
