// A reason: a sentence whose clauses each show the evidence for them, pointed at or pressed.
import { bar, el } from "./dom.js";
import { peekAt } from "./peek.js";
import { money, number, t, term } from "./text.js";

const supporting = (reason, clause) => (reason.evidence ?? []).filter((e) => clause.evidenceIds?.includes(e.id));

// Facts of several numbers, or of one that needs a word; the others speak for themselves.
const price = (amount, currency) => money(Number(amount), currency);
const FACTS = {
  price_fit: price,
  lowest_price_on_page: price,
  below_median_price: (percent, amount, currency) => `−${percent} · ${price(amount, currency)}`,
  well_reviewed: (rating, count) => t("stars")(Number(rating).toFixed(1), number(count)),
  popular: (count) => t("sold")(number(count)),
  new_arrival: (days) => t("days")(days),
  bought_together: (count) => t("customers")(number(count)),
  viewed_together: (count) => t("customers")(number(count)),
  price_in_category: (dearer, all) => t("dearer")(number(dearer), number(all)),
  better_rated: (own, other) => `${Number(own).toFixed(1)} > ${Number(other).toFixed(1)}`,
  bought_before: (times, days) => t("boughtTimes")(number(times), number(days)),
  bought_often: (times, days) => t("boughtTimes")(number(times), number(days)),
};
const NAMES_ANOTHER = ["bought_together", "viewed_together", "better_rated", "same_brand"];

function fact({ code, value = "" }) {
  const words = code?.startsWith("praised_") ? t("of") : FACTS[code];
  return words ? words(...value.split(" ")) : value;
}

function meeting({ code, source, meets }) {
  if (!meets || source === "profile") return ""; // an id of a product at hand
  if (code === "exclusion_met") return t("ruledOut")(meets);
  if (source === "relations") return NAMES_ANOTHER.includes(code) ? `“${meets}”` : "";
  return source === "page" ? t("among")(meets) : t("meets")(meets.replace(/\.0$/, ""));
}

function evidenceItem(evidence) {
  const meets = meeting(evidence);
  return el("li", {},
    el("b", {}, fact(evidence)),
    meets && el("span", {}, meets),
    el("code", {}, evidence.source));
}

/** What wrote the sentence; every clause of either has been checked against its evidence. */
export function writer({ generator, generatorVersion }) {
  const kind = (generator ?? "").replace("GENERATOR_", "");
  const words = t("writers")[kind];
  return words && el("small", { class: `writer ${kind.toLowerCase()}`, title: `${generatorVersion ?? ""} · ${t("checked")}` }, words);
}

/** The evidence of a clause with its kind and strength, for who points at it. */
function peek(reason, clause) {
  return [
    el("b", {}, term("kinds", clause.code)),
    el("ul", { class: "evidence" }, supporting(reason, clause).map((evidence) => {
      const item = evidenceItem(evidence);
      if (evidence.strength > 0) {
        item.append(el("span", { class: "strength" }, bar([["fill", 0, evidence.strength * 100]]),
          el("small", {}, `${t("strength")} ${Math.round(evidence.strength * 100)}%`)));
      }
      return item;
    })),
  ];
}

export const evidenceList = (reason, clause) => supporting(reason, clause).map(evidenceItem);

/** Cuts the sentence at its clauses: a list of strings and of clauses. */
function pieces(reason) {
  const list = [];
  let at = 0;
  for (const clause of reason.clauses ?? []) {
    const start = reason.text.indexOf(clause.text, at);
    if (start < 0) continue;
    list.push(reason.text.slice(at, start), clause);
    at = start + clause.text.length;
  }
  return [...list, reason.text.slice(at)];
}

/** The place of a reason that is not there yet; its clauses are put there as they come. */
export const reasonToCome = (language) => el("div", { class: "reason coming", lang: language }, el("p", {}));

/** The sentence on a card. */
export function reasonBox(reason) {
  const list = el("ul", { class: "evidence" });
  const shown = el("div", { role: "status", hidden: true }, list);
  const sentence = el("p", {});
  const toggle = (node, clause) => {
    const open = node.getAttribute("aria-expanded") !== "true";
    for (const other of sentence.children) other.setAttribute("aria-expanded", "false");
    node.setAttribute("aria-expanded", String(open));
    shown.hidden = !open;
    list.replaceChildren(...evidenceList(reason, clause));
  };
  for (const piece of pieces(reason)) {
    if (typeof piece === "string") {
      sentence.append(piece);
      continue;
    }
    // A button element is a block to line breaking; a clause has to flow as words do.
    const node = el("span", { class: "clause", role: "button", tabindex: "0", "aria-expanded": "false" }, piece.text);
    node.addEventListener("click", () => toggle(node, piece));
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle(node, piece);
    });
    peekAt(node, () => peek(reason, piece));
    sentence.append(node);
  }
  return el("div", { class: "reason" }, el("div", { lang: reason.languageCode }, sentence), shown, writer(reason));
}

/** Every clause with its evidence, for the panel. */
export function evidenceTable(reason) {
  return el("ul", { class: "clauses" }, (reason.clauses ?? []).map((clause) =>
    el("li", {},
      el("span", { lang: reason.languageCode }, clause.text),
      el("ul", { class: "evidence" }, evidenceList(reason, clause)))));
}
