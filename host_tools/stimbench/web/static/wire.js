// Binary frames: the layout stands in web/scope.py.

const WINDOW = 1;
const TRACE_BYTES = 16;
const PULSE_FIELDS = ["start_ns", "cathodic_ns", "gap_ns", "anodic_ns", "period_ns",
  "cathodic_ua", "anodic_ua", "cathodic_nc", "anodic_nc"];

/**
 * A window: `view`, `sequence`, `from`, `to`, `end` (ns), `traces` and `pulses` (left, right).
 * A trace: `lead`, `quantity`, `bands`, `age`, `origin` (ns), `t` (ns since the origin), `a`, and `b` of bands.
 * null for a frame of another kind.
 */
export function decode(buffer) {
  const view = new DataView(buffer);
  if (view.getUint8(0) !== WINDOW) return null;
  const frame = {
    view: view.getUint8(1),
    sequence: view.getUint32(4, true),
    from: view.getFloat64(8, true),
    to: view.getFloat64(16, true),
    end: view.getFloat64(24, true),
    traces: [],
    pulses: [],
  };
  let at = 40;
  for (let k = view.getUint16(2, true); k > 0; k--) {
    const count = view.getUint32(at + 4, true);
    const trace = {
      lead: view.getUint8(at),
      quantity: view.getUint8(at + 1),
      bands: view.getUint8(at + 2) === 1,
      age: view.getUint8(at + 3),
      origin: view.getFloat64(at + 8, true),
    };
    at += TRACE_BYTES;
    trace.t = new Float64Array(buffer, at, count);
    at += 8 * count;
    trace.a = new Float32Array(buffer, at, count);
    if (trace.bands) trace.b = new Float32Array(buffer, at + 4 * count, count);
    const bytes = (trace.bands ? 8 : 4) * count;
    at += bytes + (8 - bytes % 8) % 8;
    frame.traces.push(trace);
  }
  for (const where of [32, 36]) {
    const found = [];
    for (let k = view.getUint32(where, true); k > 0; k--) {
      const pulse = {};
      for (const name of PULSE_FIELDS) {
        pulse[name] = view.getFloat64(at, true);
        at += 8;
      }
      found.push(pulse);
    }
    frame.pulses.push(found);
  }
  return frame;
}
