// Fields of the products to choose from, with the number of products behind each value. Several values
// of one field may be chosen; the service leaves a field's own choice out of its counts.
import { $, el } from "./dom.js";
import { number, t } from "./text.js";

const KEYS = ["category", "brand", "price", "colour", "rating"];

/** What to ask of the service. */
export const facetSpecs = () => KEYS.map((key) => ({ key, limit: key === "rating" ? 4 : key === "price" ? 5 : 8 }));

const keyOf = (condition) => condition.match(/^[\w.]+/)?.[0] ?? "";

/** The filter of what was chosen: one of the values of each field. */
export function filterOf(chosen) {
  const parts = KEYS.map((key) => chosen.filter((condition) => keyOf(condition) === key)).filter((list) => list.length);
  return parts.map((list) => `(${list.map((condition) => `(${condition})`).join(" OR ")})`).join(" AND ");
}

/** What of an address are conditions that the page itself makes. */
export const known = (conditions) => conditions.filter((condition) => KEYS.includes(keyOf(condition)));

function label(key, value) {
  if (!value.interval) return value.label || value.value;
  const { min, max } = value.interval;
  if (key === "rating") return t("starsAndUp")(number(min));
  if (min === undefined && max === undefined) return t("anyNumber");
  if (min === undefined) return t("below")(number(max));
  return max === undefined ? t("andUp")(number(min)) : `${number(min)} – ${number(max)}`;
}

function choice(facet, value, chosen, toggle) {
  const checked = chosen.includes(value.filter);
  const box = el("input", { type: "checkbox", checked, value: value.filter });
  box.addEventListener("change", () => toggle(value.filter));
  return el("li", {}, el("label", {}, box, el("span", {}, label(facet.key, value)), el("small", {}, number(value.count))));
}

function group(facet, chosen, toggle, open) {
  const own = chosen.filter((condition) => keyOf(condition) === facet.key).length;
  const values = (facet.values ?? []).filter((value) => Number(value.count ?? 0) > 0 || chosen.includes(value.filter));
  if (!values.length) return "";
  return el("details", { class: "facet", name: "facet", "data-key": facet.key, open },
    el("summary", {}, t("facets")[facet.key], own > 0 && el("b", {}, String(own))),
    el("ul", {}, values.map((value) => choice(facet, value, chosen, toggle))));
}

/** Shows the facets of an answer; `toggle` is called with a condition that is chosen or no longer is, `clear` for all. */
export function showFacets(facets, chosen, toggle, clear) {
  const bar = $("facets");
  // What was open and had the focus stays so, as the choice of a value makes the bar anew.
  const open = bar.querySelector("details[open]")?.dataset.key;
  const at = bar.contains(document.activeElement) ? document.activeElement : null;
  const same = at?.value ? (node) => node.value === at.value : (node) => node.matches("summary") && node.parentElement.dataset.key === at?.parentElement.dataset.key;
  bar.replaceChildren(
    ...facets.map((facet) => group(facet, chosen, toggle, facet.key === open)).filter(Boolean),
    ...(chosen.length ? [el("button", { type: "button", class: "link", onclick: clear }, t("clearChoice"))] : []));
  bar.hidden = !bar.children.length;
  if (at) [...bar.querySelectorAll("input, summary")].find(same)?.focus();
}

function closeFacets() {
  const open = $("facets").querySelector("details[open]");
  if (open) open.open = false;
  return open;
}

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("#facets") && event.target.isConnected) closeFacets();
});
$("facets").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = closeFacets();
  if (!open) return;
  event.stopPropagation();
  open.querySelector("summary").focus();
});
