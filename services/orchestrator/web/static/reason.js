// A reason: a sentence whose clauses each open the evidence for them.
import { el } from "./dom.js";
import { money, t } from "./text.js";

const supporting = (reason, clause) => (reason.evidence ?? []).filter((e) => clause.evidenceIds?.includes(e.id));

function fact(evidence) {
  const parts = (evidence.value ?? "").split(" ");
  if (evidence.code?.startsWith("praised_")) return t("of")(...parts);
  if (evidence.code === "price_fit") return money(Number(parts[0]), parts[1]);
  return evidence.value ?? "";
}

function evidenceItem(evidence) {
  // Of a product at hand the service names the id, of a price the bound.
  const meets = evidence.source === "profile" ? "" : evidence.meets?.replace(/\.0$/, "");
  return el("li", {},
    el("b", {}, fact(evidence)),
    meets && el("span", {}, t("meets")(meets)),
    el("code", {}, evidence.source));
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
    sentence.append(node);
  }
  return el("div", { class: "reason", lang: reason.languageCode }, sentence, shown);
}

/** Every clause with its evidence, for the panel. */
export function evidenceTable(reason) {
  return el("ul", { class: "clauses" }, (reason.clauses ?? []).map((clause) =>
    el("li", {},
      el("span", { lang: reason.languageCode }, clause.text),
      el("ul", { class: "evidence" }, evidenceList(reason, clause)))));
}
