// Small helpers: elements without inline style or markup from strings.

/** An element: `el("button", {type: "button", onclick: f}, "Start")`. `class`, `aria-*`, `data-*` are attributes. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((one) => one !== null && one !== undefined));
  return made;
}

/** Change a text only if it differs: a screen reader is told of nothing else. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A button. */
export function button(text, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, text);
}

/** A labelled field: [label, field]. */
export function field(label, name, attributes = {}) {
  const input = el(attributes.options ? "select" : "input", { id: name, name, ...attributes, options: null });
  for (const [value, text] of attributes.options || []) input.append(el("option", { value }, text));
  return [el("label", { for: name }, label), input];
}

/** A file to the person's disk. */
export function save(name, blob) {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
