// Elements are built, never written as HTML: what comes from a catalogue is text and stays text.
const SVG = "http://www.w3.org/2000/svg";

export const $ = (id) => document.getElementById(id);

const present = (child) => child !== undefined && child !== null && child !== false && child !== "";

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter(present));
  return node;
}

/** Draws a bar; `parts` are [class, x, width] in percent. What it shows must also stand in words. */
export function bar(parts) {
  return svg("svg", { "aria-hidden": "true" }, ...[["track", 0, 100], ...parts].map(([name, x, width]) =>
    svg("rect", { class: name, x: `${x}%`, width: `${Math.max(width, 0.8)}%`, height: 8, rx: 3 })));
}

/** Returns an element of a drawing. */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

export function icon(path) {
  return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" }, svg("path", { d: path }));
}
