// A drawing of a product's category in the product's own colour.
import { el } from "./dom.js";

// The catalogue's canonical colours, as in the lexicon.
export const COLOURS = {
  black: "#2b2f33", white: "#dfe3e6", grey: "#868e96", charcoal: "#495057", silver: "#adb5bd", gold: "#c99a2e",
  "rose gold": "#c98a7d", red: "#d6303f", burgundy: "#8a1f3d", orange: "#ee7b1d", yellow: "#e6b800", mustard: "#c2921a",
  green: "#2f9e5b", olive: "#7a8032", mint: "#5cc9a7", turquoise: "#17a2a2", cyan: "#22b8cf", blue: "#2f74d0",
  navy: "#2a3f73", indigo: "#4858c4", purple: "#8a4fc7", lilac: "#b197e8", magenta: "#cc3f9b", pink: "#ec7fa9",
  coral: "#f0705a", brown: "#8a5a3b", tan: "#c19a6b", khaki: "#a89a68", beige: "#cdb894", ivory: "#d9cfb4",
  copper: "#b46a3c", bronze: "#96703c",
};
// Pictures of other sites are not fetched: the page asks nobody but this service.
const OWN = /^\/static\/categories\/[a-z-]+\.svg$/;

export function picture(product) {
  const node = el("div", { class: "picture", "aria-hidden": "true" });
  const uri = product.images?.[0]?.uri ?? "";
  node.style.setProperty("--drawing", `url("${OWN.test(uri) ? uri : "/static/categories/generic.svg"}")`);
  const colour = COLOURS[product.attributes?.colour?.texts?.[0]];
  if (colour) node.style.setProperty("--tone", colour);
  return node;
}
