// Drawings: elements of SVG. Looks are the style sheet's, shapes are attributes; nothing is inline.

const SVG = "http://www.w3.org/2000/svg";

/** An element of a drawing: `svg("rect", {x: 0, y: 0, width: 10, height: 10, class: "board"})`. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  set(made, attributes);
  made.append(...children.filter((one) => one !== null && one !== undefined));
  return made;
}

/** Change attributes that differ. */
export function set(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (element.getAttribute(key) !== String(value)) element.setAttribute(key, value);
  }
}
