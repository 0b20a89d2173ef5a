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
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, x, width] of [["track", 0, 100], ...parts]) {
    const rect = document.createElementNS(SVG, "rect");
    const shape = { class: name, x: `${x}%`, width: `${Math.max(width, 0.8)}%`, height: 8, rx: 3 };
    for (const [key, value] of Object.entries(shape)) rect.setAttribute(key, value);
    svg.append(rect);
  }
  return svg;
}

export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}
