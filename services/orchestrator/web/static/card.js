// One product of a page.
import { accountPrice } from "./account/price.js";
import { el, icon } from "./dom.js";
import { picture } from "./picture.js";
import { reasonBox, reasonToCome } from "./reason.js";
import { current, money, number, t } from "./text.js";

const STAR = "M12 3.2l2.7 5.6 6.1.8-4.5 4.3 1.1 6.1-5.4-3-5.4 3 1.1-6.1L3.2 9.6l6.1-.8z";
const WHY = "M9.2 9a2.9 2.9 0 1 1 4.3 2.6c-.9.5-1.5 1.1-1.5 2.2M12 17.2v.1M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0z";

/** The title in the language of the reason, so that a card speaks one language. */
export function titleOf(result, spoken) {
  const titles = result.product.titles ?? {};
  for (const code of [result.reason?.languageCode, spoken, current(), "en"]) {
    if (titles[code]) return { text: titles[code], lang: code };
  }
  const [code, text] = Object.entries(titles)[0] ?? ["", result.product.id];
  return { text, lang: code };
}

function priceOf(price) {
  if (!price) return "";
  const before = price.listAmount > (price.amount ?? 0);
  return [
    el("span", { class: "price" }, money(price.amount, price.currencyCode)),
    before && el("s", { class: "was" }, el("span", { class: "hidden" }, t("was")), money(price.listAmount, price.currencyCode)),
  ];
}

function starsOf(review) {
  if (!(review?.ratingCount > 0)) return "";
  const rating = (review.averageRating ?? 0).toFixed(1);
  const count = number(review.ratingCount);
  return el("span", { class: "stars", role: "img", "aria-label": t("stars")(rating, count) }, icon(STAR), `${rating} (${count})`);
}

/**
 * Returns the card of a result.
 *
 * `act(type, result)` sends a user event; `why(result, button)` opens the panel; `coming` says in which
 * language a reason follows, where one does.
 */
export function card(result, act, why, coming = "") {
  const product = result.product;
  const title = titleOf(result, coming);
  const name = `title-${product.id}`;
  const event = (type, words, style) => el("button", {
    type: "button", class: style, "data-event": type, "aria-describedby": name, onclick: () => act(type, result),
  }, words);
  const explain = el("button", { type: "button", class: "explain", "aria-describedby": name, "aria-haspopup": "dialog" }, icon(WHY), t("why"));
  explain.addEventListener("click", () => why(result, explain));
  const art = picture(product);
  const sure = result.confidence >= 0.005 && el("span", { class: `match${result.confidence < 0.5 ? " low" : ""}`, title: t("matchHint") }, t("match")(Math.round(result.confidence * 100)));
  const stock = t("stock")[product.stock?.availability];
  return el("article", { class: "card", "data-rank": result.rank, "data-product": product.id, "aria-labelledby": name },
    el("div", { class: "art" }, art, el("span", { class: "rank", "aria-label": `${t("place")} ${result.rank}` }, String(result.rank)), result.pinned && el("span", { class: "pinned" }, t("pinned")), result.sponsored && el("span", { class: "pinned" }, t("sponsored")), sure),
    el("div", { class: "body" },
      el("p", { class: "meta" }, el("span", {}, product.brand), el("span", {}, product.categoryPath?.at(-1))),
      el("h2", { id: name, lang: title.lang, title: title.text }, title.text),
      result.terms && accountPrice(result.terms),
      el("div", { class: "row" }, !result.terms && priceOf(product.price), stock && el("span", { class: "stock" }, stock), starsOf(product.reviewSummary)),
      result.reason?.text ? reasonBox(result.reason) : coming && reasonToCome(coming),
      el("div", { class: "acts" }, explain, event("VIEW", t("view")), event("CART", t("cart")), event("PURCHASE", t("buy"), "buy"))));
}

/** Puts the reason of a result on its card; without one, takes its place away. */
export function putReason(article, reason) {
  const place = article.querySelector(".reason");
  if (reason?.text) place?.replaceWith(reasonBox(reason));
  else place?.remove();
}
