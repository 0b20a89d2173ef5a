// One product of the results, with its picture and why it is there.
import { titleOf } from "../card.js";
import { bar, el } from "../dom.js";
import { picture } from "../picture.js";
import { current, money, t } from "../text.js";
import { coloursIn } from "./colours.js";

const word = (colour) => t("picturesColours")[colour] ?? colour;

function measure(words, value) {
  return value !== undefined && el("tr", {},
    el("th", { scope: "row" }, words),
    el("td", {}, bar([["fill", 0, Math.max(0, value) * 100]])),
    el("td", { class: "value" }, value.toFixed(2)));
}

function colours(product, said) {
  const stated = product.attributes?.colour?.texts ?? [];
  if (!said.length || !stated.length) return "";
  const met = said.filter((each) => stated.includes(each));
  const [style, words] = met.length
    ? ["met", t("picturesColour")(met.map(word).join(", "))]
    : ["unmet", t("picturesOtherColour")(said.map(word).join(", "), stated.map(word).join(", "))];
  return el("p", { class: `colour ${style}` }, words);
}

/** Why a result is there: how well its picture fits each part of what was asked, and colours by name. */
function why(result, asked) {
  const { picture: like, text } = result.pictureMatch ?? {};
  const words = asked.edit ? t("picturesLikeEdited")(asked.edit) : t("picturesLike");
  const rows = [measure(words, like), measure(t("picturesFits"), text)].filter(Boolean);
  return [
    rows.length > 0 ? el("table", { class: "bars parts" }, el("tbody", {}, rows)) : el("p", { class: "hint" }, t("picturesByWords")),
    colours(result.product, coloursIn(asked.edit || asked.text)),
  ];
}

/** Puts a small picture in the place of the drawing. */
export function putThumbnail(item, address) {
  const image = el("img", { src: address, alt: "" });
  item.querySelector(".picture")?.replaceWith(image);
}

/**
 * Returns the list item of a result.
 *
 * `asked` is what was searched for, `{ text, edit }`; `from(product, title)` searches by this one's picture.
 */
export function resultItem(result, asked, from) {
  const { product } = result;
  const title = titleOf(result, current());
  const name = `title-${product.id}`;
  const { price } = product;
  const again = el("button", { type: "button", class: "quiet", "aria-describedby": name, onclick: () => from(product, title.text) }, t("picturesFrom"));
  return el("li", { class: "card", "data-product": product.id, "data-rank": result.rank },
    el("div", { class: "art" }, picture(product), el("span", { class: "rank", "aria-label": `${t("place")} ${result.rank}` }, String(result.rank))),
    el("div", { class: "body" },
      el("h2", { id: name, lang: title.lang, title: title.text }, title.text),
      el("div", { class: "row" }, price && el("span", { class: "price" }, money(price.amount, price.currencyCode))),
      why(result, asked),
      result.pictureMatch?.picture !== undefined || result.pictureMatch?.text !== undefined ? again : ""));
}
