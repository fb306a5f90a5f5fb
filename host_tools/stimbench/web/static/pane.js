// One lead's pane of the scope: uPlot has axes, cursor and selection, the traces are drawn here.
// A record is a broken line with jumps, or bands; neither is a series of points over common times.

import uPlot from "/vendor/uplot/uPlot.esm.js";
import { roundUp, timeUnit } from "./units.js";

const QUANTITIES = [
  { scale: "i", label: "Current", unit: "µA", side: 3, colour: "--current", width: 2, least: 100 },
  { scale: "v", label: "Voltage", unit: "V", side: 1, colour: "--voltage", width: 1, least: 0.5 },
];
const HEADROOM = 1.15;

/** A colour of the style sheet. */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export class Pane {
  /**
   * @param host element that the pane fills
   * @param name "Left" or "Right"
   * @param hooks selected(from, to), moved(x or null), clicked(x, with shift), in ns of the pane's x-axis
   */
  constructor(host, name, hooks) {
    this.host = host;
    this.name = name;
    this.frame = null;
    this.lead = name === "Left" ? 0 : 1;
    this.x = [0, 1e6];
    this.bounds = QUANTITIES.map(({ least }) => least);
    this.cursors = [null, null];
    this.hooks = hooks;
    this.colours = {};
    this.recolour();
    this.plot = new uPlot(this.#options(), [[0, 1], [null, null], [null, null]], host);
    this.plot.over.addEventListener("pointerdown", (event) => { this.pressedAt = event.clientX; });
    this.plot.over.addEventListener("click", (event) => {
      if (Math.abs(event.clientX - this.pressedAt) < 4) this.hooks.clicked(this.plot.posToVal(this.plot.cursor.left, "x"), event.shiftKey);
    });
    new ResizeObserver(() => this.plot.setSize(this.#size())).observe(host);
  }

  /** Take the style sheet's colours anew: the theme has changed. */
  recolour() {
    for (const name of ["--current", "--voltage", "--grid", "--ink", "--cursor"]) this.colours[name] = colour(name);
  }

  /** Show a frame from x0 to x1, ns of its own x-axis. */
  show(frame, x0, x1) {
    this.frame = frame;
    this.#fit();
    this.setX(x0, x1);
  }

  /** Move the x-axis; the traces move along. */
  setX(x0, x1) {
    if (x0 === this.x[0] && x1 === this.x[1]) {
      this.plot.redraw(false, false);
      return;
    }
    this.x = [x0, x1];
    this.plot.setScale("x", { min: x0, max: x1 });
  }

  /** Traces of this lead, the oldest of an overlay first. */
  traces(quantity) {
    if (!this.frame) return [];
    return this.frame.traces
      .filter((one) => one.lead === this.lead && one.quantity === quantity)
      .sort((one, other) => other.age - one.age);
  }

  /** A trace's time on the x-axis. In a triggered window it counts from the edge. */
  offset(trace) {
    return this.frame.triggered ? 0 : trace.origin;
  }

  /** The value of the newest trace at x; null where it is not known. */
  valueAt(quantity, x) {
    const trace = this.traces(quantity).at(-1);
    if (!trace || !trace.t.length) return null;
    const t = x - this.offset(trace);
    let low = 0, high = trace.t.length - 1;
    if (t < trace.t[0] || t > trace.t[high]) return null;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (trace.t[middle] <= t) low = middle;
      else high = middle;
    }
    if (trace.bands) return known((trace.a[low] + trace.b[low]) / 2);
    const span = trace.t[high] - trace.t[low];
    return known(span > 0 ? trace.a[low] + (trace.a[high] - trace.a[low]) * ((t - trace.t[low]) / span) : trace.a[high]);
  }

  /** Vertical scales in steps of 1, 2, 5: they move when they must, not with each pulse. */
  #fit() {
    QUANTITIES.forEach(({ scale, least }, quantity) => {
      let most = 0;
      for (const trace of this.traces(quantity)) {
        for (const values of trace.bands ? [trace.a, trace.b] : [trace.a]) {
          for (let k = 0; k < values.length; k++) most = Math.max(most, Math.abs(known(values[k]) ?? 0));
        }
      }
      const wanted = Math.max(least, roundUp(Math.max(most, 1e-9) * HEADROOM));
      if (wanted > this.bounds[quantity] || wanted < this.bounds[quantity] / 2.1) {
        this.bounds[quantity] = wanted;
        this.plot.setScale(scale, { min: -wanted, max: wanted });
      }
    });
  }

  #size() {
    return { width: Math.max(200, this.host.clientWidth), height: Math.max(140, this.host.clientHeight) };
  }

  #options() {
    const ink = () => this.colours["--ink"];
    const grid = { stroke: () => this.colours["--grid"], width: 1 };
    const font = "12px system-ui, sans-serif";
    const axis = ({ scale, label, unit, side }) => ({
      scale, side, stroke: ink, font, labelFont: font, size: 60, labelSize: 20, labelGap: 4,
      label: `${label} (${unit})`,
      grid: scale === "i" ? grid : { show: false }, ticks: grid,
    });
    return {
      ...this.#size(),
      legend: { show: false },
      scales: {
        x: { time: false, auto: false, range: (_, min, max) => [min, max] },
        i: { auto: false, range: (_, min, max) => [min ?? -100, max ?? 100] },
        v: { auto: false, range: (_, min, max) => [min ?? -0.5, max ?? 0.5] },
      },
      series: [{}, { scale: "i", points: { show: false } }, { scale: "v", points: { show: false } }],
      axes: [
        { stroke: ink, font, grid, ticks: grid, size: 34, values: (_, at) => this.#times(at) },
        ...QUANTITIES.map(axis),
      ],
      cursor: { points: { show: false }, drag: { x: true, y: false, setScale: false, dist: 4 } },
      hooks: {
        draw: [(u) => this.#draw(u)],
        setSelect: [(u) => this.#selected(u)],
        setCursor: [(u) => this.hooks.moved(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null)],
      },
    };
  }

  #times(at) {
    const [size, name] = timeUnit((this.x[1] - this.x[0]) / 2);
    const step = at.length > 1 ? Math.abs(at[1] - at[0]) / size : 1;
    const digits = Math.max(0, Math.min(9, -Math.floor(Math.log10(step) + 1e-9)));
    return at.map((t) => `${(t / size).toFixed(digits)} ${name}`);
  }

  #selected(u) {
    const { left, width } = u.select;
    if (width < 4) return;
    const [from, to] = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.hooks.selected(from, to);
  }

  #draw(u) {
    const { ctx, bbox } = u;
    const [x0, x1] = this.x;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    const kx = bbox.width / (x1 - x0);
    [1, 0].forEach((quantity) => {
      const { colour: name, width } = QUANTITIES[quantity];
      const bound = this.bounds[quantity];
      const ky = bbox.height / (2 * bound), middle = bbox.top + bbox.height / 2;
      ctx.strokeStyle = ctx.fillStyle = this.colours[name];
      ctx.lineWidth = width * devicePixelRatio;
      ctx.lineJoin = "round";
      for (const trace of this.traces(quantity)) {
        ctx.globalAlpha = trace.age ? 0.3 : 1;
        const shift = bbox.left + (this.offset(trace) - x0) * kx;
        if (trace.bands) drawBands(ctx, trace, shift, kx, middle, ky);
        else drawLine(ctx, trace, shift, kx, middle, ky);
      }
    });
    ctx.globalAlpha = 1;
    this.#drawCursors(ctx, bbox, x0, kx);
    ctx.restore();
  }

  #drawCursors(ctx, bbox, x0, kx) {
    ctx.strokeStyle = ctx.fillStyle = this.colours["--cursor"];
    ctx.lineWidth = devicePixelRatio;
    ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
    this.cursors.forEach((x, k) => {
      if (x === null) return;
      const at = bbox.left + (x - x0) * kx;
      ctx.beginPath();
      ctx.setLineDash(k ? [6, 4] : []);
      ctx.moveTo(at, bbox.top);
      ctx.lineTo(at, bbox.top + bbox.height);
      ctx.stroke();
      ctx.fillText(k ? "B" : "A", at + 4 * devicePixelRatio, bbox.top + 14 * devicePixelRatio);
    });
    ctx.setLineDash([]);
  }
}

/** null for NaN: between two captures of a wired bench nothing is known. */
function known(value) {
  return Number.isNaN(value) ? null : value;
}

function drawLine(ctx, { t, a }, shift, kx, middle, ky) {
  ctx.beginPath();
  let down = false; // the pen: no line is drawn through a gap
  for (let k = 0; k < t.length; k++) {
    if (Number.isNaN(a[k])) {
      down = false;
      continue;
    }
    const [x, y] = [shift + t[k] * kx, middle - a[k] * ky];
    if (down) ctx.lineTo(x, y);
    else ctx.moveTo(x, y);
    down = true;
  }
  ctx.stroke();
}

function drawBands(ctx, { t, a, b }, shift, kx, middle, ky) {
  // A band reaches to its neighbours: there is no seam between two columns.
  const half = t.length > 1 ? ((t[1] - t[0]) * kx) / 2 : 0.5;
  const thin = ctx.lineWidth / 2;
  ctx.beginPath();
  for (let k = 0; k < t.length; k++) {
    if (Number.isNaN(a[k])) continue;
    const top = middle - b[k] * ky - thin, bottom = middle - a[k] * ky + thin;
    ctx.rect(shift + t[k] * kx - half, top, 2 * half + 0.5, bottom - top);
  }
  ctx.fill();
}
