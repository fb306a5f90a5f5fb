// A form of fields with their limits: each refusal is shown at its field, as soon as it can be known.

import { el, setText } from "./dom.js";

const UNIT = /_(ua|us|ms|s|hz)$/;
const DATE = "activation_s";

/** Of an element: `left.amplitude_ua` is `left-amplitude`. */
export const idOf = (prefix, name) => `${prefix}-${name.replace(UNIT, "").replace(/[._]/g, "-")}`;

/** Seconds since 1970 for an input of date and time (UTC), and back; 0 is an empty one. */
export const toInput = (seconds) => (seconds ? new Date(seconds * 1000).toISOString().slice(0, 16) : "");
export const fromInput = (text) => (text ? Math.round(Date.parse(`${text}:00Z`) / 1000) : 0);

export class FieldForm {
  /** Fields as stimbench.web.form_fields describes them. `name` says what the form is of, for its labels. */
  constructor(prefix, fields, name) {
    this.prefix = prefix;
    this.fields = fields;
    this.inputs = new Map();
    this.whys = new Map();
    this.refused = [];
    this.edited = new Set();
    const shared = fields.filter((one) => !one.name.includes("."));
    const perLead = fields.filter((one) => one.name.startsWith("left."));
    this.element = el(
      "div",
      { class: "field-form" },
      el(
        "div",
        { class: "field-rows", role: "group", "aria-label": `${name}, each lead` },
        el("span", { class: "field-head" }),
        el("span", { class: "field-head" }, "Left"),
        el("span", { class: "field-head" }, "Right"),
        el("span", { class: "field-head" }, "Limits"),
        ...perLead.flatMap((one) => this.#pair(one)),
      ),
      el(
        "div",
        { class: "field-rows shared", role: "group", "aria-label": `${name}, both leads` },
        ...shared.flatMap((one) => this.#row(one)),
      ),
    );
  }

  #input(field, label) {
    const id = idOf(this.prefix, field.name);
    const isDate = field.name === DATE;
    const input = el("input", {
      id,
      name: field.name,
      "aria-label": label,
      "aria-describedby": `${id}-limits ${id}-why`,
      required: !isDate,
      ...(isDate
        ? { type: "datetime-local" }
        : {
            type: "number",
            min: field.or_off ? 0 : field.low,
            max: field.high,
            step: field.or_off ? 1 : field.step,
            value: field.default,
          }),
      oninput: () => {
        this.edited.add(field.name);
        this.#check(field);
      },
    });
    const why = el("p", { id: `${id}-why`, class: "why", role: "alert", hidden: true });
    this.inputs.set(field.name, input);
    this.whys.set(field.name, why);
    return [input, why];
  }

  #row(field) {
    const unit = field.name === DATE ? ", UTC" : field.unit && `, ${field.unit}`;
    const [input, why] = this.#input(field, `${field.label}${unit}`);
    const limits = field.name === DATE ? "empty: when the healing time is over" : field.limits;
    return [
      el("label", { for: input.id }, `${field.label}${unit}`),
      input,
      el("span", { class: "limits", id: `${input.id}-limits` }, limits),
      why,
    ];
  }

  #pair(left) {
    const right = this.fields.find((one) => one.name === left.name.replace("left.", "right."));
    const unit = left.unit && `, ${left.unit}`;
    const made = [left, right].map((one, at) =>
      this.#input(one, `${["Left", "Right"][at]} ${left.label.toLowerCase()}${unit}`),
    );
    const limits = [left, right].map((one) =>
      el(
        "span",
        {
          id: `${idOf(this.prefix, one.name)}-limits`,
          class: one === left ? "limits" : "limits",
          hidden: one === right,
        },
        left.limits,
      ),
    );
    return [
      el("span", { "aria-hidden": "true" }, `${left.label}${unit}`),
      made[0][0],
      made[1][0],
      limits[0],
      limits[1],
      made[0][1],
      made[1][1],
    ];
  }

  /** What a field holds: a whole number, or NaN. */
  value(name) {
    const input = this.inputs.get(name);
    if (name === DATE) return fromInput(input.value);
    return input.value.trim() === "" || !Number.isInteger(Number(input.value)) ? NaN : Number(input.value);
  }

  values() {
    return Object.fromEntries(this.fields.map(({ name }) => [name, this.value(name)]));
  }

  /** Show what the board holds; what was changed here and not sent stays, unless `whole`. */
  show(values, whole = false) {
    if (whole) this.edited.clear();
    for (const [name, value] of Object.entries(values)) {
      const input = this.inputs.get(name);
      if (input && !this.edited.has(name)) input.value = name === DATE ? toInput(value) : value;
    }
    this.fields.forEach((field) => this.#check(field));
  }

  /** What was refused: [{field, value, why}]. A reason goes when its field is changed. */
  refuse(refused) {
    this.refused = refused;
    this.fields.forEach((field) => this.#check(field));
  }

  /** The first field that cannot be sent, or null. */
  firstBad() {
    const bad = this.fields.find((field) => !this.#inRange(field));
    return bad ? this.inputs.get(bad.name) : null;
  }

  #inRange({ name, low, high, step, or_off }) {
    const value = this.value(name);
    if (Number.isNaN(value)) return false;
    return (or_off && value === 0) || (value >= low && value <= high && (value - low) % step === 0);
  }

  #check(field) {
    const value = this.value(field.name);
    const refusal = this.refused.find((one) => one.field === field.name && one.value === value);
    const why = refusal
      ? refusal.why
      : this.#inRange(field)
        ? ""
        : `Allowed is ${field.limits}${Number.isNaN(value) ? ", as a whole number" : ""}.`;
    const [input, said] = [this.inputs.get(field.name), this.whys.get(field.name)];
    if (why) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    setText(said, why);
    said.hidden = !why;
  }
}

/** Rows of a table, made anew only when they differ. In `heads` and `cells(row)` a number's text is `[text]`. */
export class Rows {
  constructor(id, caption, heads, cells) {
    this.cells = cells;
    this.shown = "";
    this.body = el("tbody");
    this.element = el(
      "div",
      { class: "rows", tabindex: "0", role: "group", "aria-label": caption },
      el(
        "table",
        { id },
        el("caption", {}, caption),
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            ...heads.map((one) =>
              el(
                "th",
                { scope: "col", class: Array.isArray(one) ? "number" : null },
                Array.isArray(one) ? one[0] : one,
              ),
            ),
          ),
        ),
        this.body,
      ),
    );
  }

  show(rows, empty = "Nothing yet.") {
    const now = JSON.stringify(rows);
    if (now === this.shown) return;
    this.shown = now;
    const made = rows.map((row) =>
      el(
        "tr",
        {},
        ...this.cells(row).map((one) =>
          Array.isArray(one) ? el("td", { class: "number" }, one[0]) : el("td", {}, one),
        ),
      ),
    );
    const columns = this.element.querySelectorAll("th").length;
    this.body.replaceChildren(
      ...(made.length ? made : [el("tr", {}, el("td", { colspan: columns, class: "quiet" }, empty))]),
    );
  }
}
