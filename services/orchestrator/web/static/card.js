// One product of a page.
import { el } from "./dom.js";
import { current, t } from "./text.js";
import { openWhy } from "./why.js";
export const titleOf = (p) => p.titles?.[current()] ?? p.titles?.en ?? Object.values(p.titles ?? {})[0] ?? p.id;

function price(p) {
  try { return new Intl.NumberFormat(current(), { style: "currency", currency: p.currencyCode }).format(p.amount ?? 0); }
  catch { return `${p.amount ?? 0} ${p.currencyCode}`; }
}
function picture(product) {
  // Pictures of other sites are not fetched: the page asks nobody but this service.
  const uri = product.images?.[0]?.uri ?? "";
  const img = el("img", { src: uri.startsWith("/static/") ? uri : "/static/categories/generic.svg", alt: "", loading: "lazy" });
  img.addEventListener("error", () => { img.src = "/static/categories/generic.svg"; }, { once: true });
  return img;
}
function reason(r) {
  const box = el("p", { class: "reason", lang: r.languageCode });
  const list = el("ul", { class: "evidence", hidden: true });
  let at = 0;
  for (const clause of r.clauses ?? []) {
    const start = r.text.indexOf(clause.text, at);
    if (start < 0) continue;
    const show = () => {
      const open = button.getAttribute("aria-expanded") === "true";
      box.querySelectorAll(".clause").forEach((b) => b.setAttribute("aria-expanded", "false"));
      button.setAttribute("aria-expanded", String(!open));
      list.hidden = open;
      list.replaceChildren(...(r.evidence ?? []).filter((e) => clause.evidenceIds?.includes(e.id)).map((e) => el("li", {}, el("b", {}, e.value), ` · ${e.source}`, e.meets ? ` → ${e.meets}` : "")));
    };
    const tip = (r.evidence ?? []).filter((e) => clause.evidenceIds?.includes(e.id)).map((e) => `${e.source}: ${e.value}`).join("\n");
    const button = el("button", { class: "clause", type: "button", "aria-expanded": "false", title: tip, onclick: show }, clause.text);
    box.append(r.text.slice(at, start), button);
    at = start + clause.text.length;
  }
  box.append(r.text.slice(at));
  return el("div", {}, box, list);
}
export function card(result, act) {
  const p = result.product, review = p.reviewSummary, title = titleOf(p);
  const button = (type, words, name) => el("button", { type: "button", class: name, "data-event": type, onclick: () => act(type, result) }, words);
  return el("article", { class: "card", "data-id": p.id },
    el("div", { class: "art" }, el("span", { class: "rank" }, String(result.rank)), result.confidence ? el("span", { class: "match" }, t("match")(Math.round(result.confidence * 100))) : "", picture(p)),
    el("div", { class: "body" },
      el("div", { class: "meta" }, el("span", {}, p.brand ?? ""), el("span", {}, p.categoryPath?.at(-1) ?? "")),
      el("h2", {}, title),
      el("div", { class: "row" }, p.price ? el("span", { class: "price" }, price(p.price)) : "", p.price?.listAmount > p.price?.amount ? el("span", { class: "was" }, price({ ...p.price, amount: p.price.listAmount })) : "",
        review?.ratingCount > 0 ? el("span", { class: "stars", "aria-label": `${review.averageRating.toFixed(1)} / 5` }, `★ ${review.averageRating.toFixed(1)} (${Number(review.ratingCount).toLocaleString()})`) : ""),
      p.stock?.availability === "AVAILABILITY_OUT_OF_STOCK" ? el("span", { class: "out" }, t("out")) : "",
      result.reason?.text ? reason(result.reason) : "",
      el("div", { class: "acts" }, el("button", { type: "button", class: "explain", onclick: () => openWhy(result, title) }, t("why")), button("VIEW", t("view")), button("CART", t("cart")), button("PURCHASE", t("buy"), "buy"))));
}
