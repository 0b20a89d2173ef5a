// What an account pays: its price beside the catalogue's, who set it, and what larger quantities cost.
import { el } from "../dom.js";
import { money, number, t, term } from "../text.js";

const sourceOf = (terms) => (terms.source ?? "").replace("TERMS_SOURCE_", "");
const amount = (price) => price?.amount ?? 0;

/** Whether the catalogue's price may stand beside as what is saved on. */
function saves({ unitPrice, listPrice }) {
  return listPrice && unitPrice && unitPrice.currencyCode === listPrice.currencyCode && amount(unitPrice) < amount(listPrice);
}

function lots({ minimumQuantity = 1, quantityStep = 1 }) {
  const [least, step] = [Number(minimumQuantity), Number(quantityStep)];
  const words = [step > 1 && t("packsOf")(number(step)), least > 1 && t("atLeast")(number(least))].filter(Boolean);
  return words.length > 0 && el("p", { class: "lots" }, words.join(" · "));
}

/** The price on a card. */
export function accountPrice(terms) {
  const { unitPrice, listPrice, quantityBreaks = [] } = terms;
  if (!unitPrice) return [];
  return [
    el("div", { class: "row account-price" },
      el("span", { class: "price" }, el("span", { class: "hidden" }, `${t("yourPrice")}: `), money(unitPrice.amount, unitPrice.currencyCode)),
      saves(terms) && el("s", { class: "was" }, el("span", { class: "hidden" }, t("listPrice")), money(listPrice.amount, listPrice.currencyCode)),
      el("span", { class: "set-by" }, term("priceSources", sourceOf(terms)))),
    quantityBreaks.length > 0 && el("ul", { class: "breaks", "aria-label": t("breaks") }, quantityBreaks.map((each) =>
      el("li", {}, t("fromQuantity")(number(each.minimumQuantity)), " ", el("b", {}, money(each.unitAmount, unitPrice.currencyCode))))),
    lots(terms),
  ].filter(Boolean);
}

const row = (name, ...value) => el("div", {}, el("dt", {}, name), el("dd", {}, ...value));

function saving(unit, listPrice, currency) {
  if (!listPrice || listPrice.currencyCode !== currency || !(amount(listPrice) > 0)) return "";
  const percent = Math.round((1 - unit / listPrice.amount) * 100);
  return percent > 0 ? el("small", {}, ` −${number(percent)}%`) : "";
}

/** Why the price is what it is, for the panel. */
export function accountTerms(terms) {
  const { unitPrice, listPrice, partyId, accountId, quantityBreaks = [] } = terms;
  const currency = unitPrice?.currencyCode;
  const source = sourceOf(terms);
  const whose = !partyId || source === "LIST" ? t("priceWhy").LIST : t("priceWhy")[source]?.(partyId, partyId === accountId);
  return [
    el("p", { class: "hint" }, whose),
    el("dl", { class: "terms" },
      unitPrice && row(t("yourPrice"), money(unitPrice.amount, currency), saving(amount(unitPrice), listPrice, currency)),
      listPrice && row(t("inCatalogue"), money(listPrice.amount, listPrice.currencyCode)),
      quantityBreaks.map((each) => row(t("fromQuantity")(number(each.minimumQuantity)), money(each.unitAmount, currency), saving(each.unitAmount ?? 0, listPrice, currency)))),
    lots(terms),
  ].filter(Boolean);
}
