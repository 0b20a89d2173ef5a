// Elements are built, never written as HTML: what comes from a catalogue is text and stays text.
export const $ = (id) => document.getElementById(id);
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false));
  return node;
}
const SVG = "http://www.w3.org/2000/svg";
export function bar(parts) { // parts: [class, x, width] in percent
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, x, width] of [["track", 0, 100], ...parts]) {
    const rect = document.createElementNS(SVG, "rect");
    for (const [k, v] of Object.entries({ class: name, x: `${x}%`, width: `${Math.max(width, 0.6)}%`, height: 10, rx: 3 })) rect.setAttribute(k, v);
    svg.append(rect);
  }
  return svg;
}
