// What the file has of a run: readable facts, and compressed blocks in base64. How they are packed stands in
// web/saved_run.py.

import { Polyline } from "./polyline.js";
import { Windows } from "./windows.js";

export const LEADS = ["left", "right"];
const QUANTITIES = ["current", "voltage"];
const FORMAT = 1;
const PULSE_FIELDS = ["start_ns", "cathodic_ns", "gap_ns", "anodic_ns", "period_ns",
  "cathodic_ua", "anodic_ua", "cathodic_nc", "anodic_nc"];

/** The bytes of one block, unpacked. */
async function bytesOf(element) {
  const text = atob(element.textContent);
  const packed = Uint8Array.from(text, (one) => one.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Numbers whose bytes are sorted by significance: all lowest ones first. */
function numbers(bytes, form, count) {
  const size = Number(form[2]);
  if (form.startsWith("<i8")) {
    const found = new Float64Array(count);
    for (let plane = size - 1; plane >= 0; plane--) {
      for (let k = 0; k < count; k++) found[k] = found[k] * 256 + bytes[plane * count + k];
    }
    if (form.endsWith("+")) for (let k = 1; k < count; k++) found[k] += found[k - 1];
    return found;
  }
  const together = new Uint8Array(bytes.length);
  for (let plane = 0; plane < size; plane++) {
    for (let k = 0; k < count; k++) together[k * size + plane] = bytes[plane * count + k];
  }
  const Kind = { "<f4": Float32Array, "<i4": Int32Array, "<u2": Uint16Array }[form];
  return new Kind(together.buffer);
}

/** Everything: `about`, `windows`, `force` by lead, `table`, `states`. */
export async function loadRun() {
  const about = JSON.parse(document.getElementById("saved-about").textContent);
  if (about.format !== FORMAT) throw new Error(`This file has the format ${about.format}; its script knows ${FORMAT}.`);
  const blocks = {};
  await Promise.all(Array.from(document.querySelectorAll("script.block"), async (element) => {
    const { name, form, count } = element.dataset;
    const bytes = await bytesOf(element);
    blocks[name] = form === "json" ? JSON.parse(new TextDecoder().decode(bytes)) : numbers(bytes, form, Number(count));
    element.remove(); // its text is not needed any more
  }));
  const leads = LEADS.map((name) => ({
    lines: QUANTITIES.map((quantity) => new Polyline(blocks[`${name}.${quantity}.times`], blocks[`${name}.${quantity}.values`])),
    pulses: Object.fromEntries(PULSE_FIELDS.map((field) => [field, blocks[`${name}.pulses.${field}`]])),
  }));
  const force = Object.fromEntries(LEADS.map((name) => [name, blocks[`${name}.force`]]));
  return { about, windows: new Windows(leads, about.end_ns), force, ...blocks.told };
}
