// One answer of customer service: its words, what they rest on, and what a person makes of it.
import { el } from "../dom.js";
import { t, term } from "../text.js";

const bare = (code, prefix) => (code ?? "").replace(prefix, "");

/** Where a claim stands in a text: a sentence of its own may stand inside another one there. */
function placeOf(claim, text) {
  const words = claim.trim().replace(/[.。]+$/, "");
  const start = text.toLowerCase().indexOf(words.toLowerCase());
  return { start: words ? start : -1, words: text.slice(start, start + words.length) };
}

/** Cuts the text at the claims that stand in it: a list of strings and of claims with their citations. */
function pieces(answer) {
  const byClaim = new Map();
  for (const citation of answer.citations ?? []) {
    if (citation.claim) byClaim.set(citation.claim, [...(byClaim.get(citation.claim) ?? []), citation]);
  }
  const places = [...byClaim]
    .map(([claim, citations]) => ({ ...placeOf(claim, answer.text), citations }))
    .filter((place) => place.start >= 0)
    .sort((a, b) => a.start - b.start || b.words.length - a.words.length);
  const list = [];
  let at = 0;
  for (const place of places) {
    if (place.start < at) continue; // inside one before; the list below the answer has it
    list.push(answer.text.slice(at, place.start), place);
    at = place.start + place.words.length;
  }
  return [...list, answer.text.slice(at)];
}

function cited(citation) {
  return el("li", {},
    el("b", {}, citation.text),
    el("span", {}, `${t("chatSources")[bare(citation.source, "CITATION_SOURCE_")] ?? ""} ${citation.sourceId ?? ""}`.trim()),
    citation.field && el("code", {}, citation.field));
}

/** The text, whose claims open their evidence where they stand. */
function spoken(answer) {
  const list = el("ul", { class: "evidence" });
  const opened = el("div", { role: "status", hidden: true }, list);
  const text = el("p", { class: "text", lang: answer.languageCode });
  const toggle = (node, citations) => {
    const open = node.getAttribute("aria-expanded") !== "true";
    for (const other of text.children) other.setAttribute("aria-expanded", "false");
    node.setAttribute("aria-expanded", String(open));
    opened.hidden = !open;
    list.replaceChildren(...citations.map(cited));
  };
  for (const piece of pieces(answer)) {
    if (typeof piece === "string") {
      text.append(piece);
      continue;
    }
    // A button element is a block to line breaking; a claim has to flow as words do.
    const node = el("span", { class: "clause", role: "button", tabindex: "0", "aria-expanded": "false" }, piece.words);
    node.addEventListener("click", () => toggle(node, piece.citations));
    node.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle(node, piece.citations);
    });
    text.append(node);
  }
  return [text, opened];
}

function about(answer) {
  const kind = bare(answer.kind, "ANSWER_KIND_");
  return el("p", { class: "about-answer" },
    el("span", { class: `kind ${kind.toLowerCase()}` }, t("chatKinds")[kind] ?? kind),
    answer.intent && el("span", {}, `${t("chatIntent")}: ${t("chatIntents")[answer.intent] ?? term("intents", answer.intent)}`),
    answer.confidence > 0 && el("span", { class: "sure" }, t("chatSure")(Math.round(answer.confidence * 100))));
}

function handedOver(told) {
  const reason = bare(told.reason, "HAND_OVER_REASON_");
  return el("div", { class: "notice handed", role: "note" },
    el("p", {}, el("b", {}, t("chatHandedOver")), " ", t("chatReasons")[reason] ?? ""),
    told.summary && el("details", {}, el("summary", {}, t("chatSummary")), el("p", { class: "told" }, told.summary)));
}

function lost(list) {
  return el("div", { class: "notice degraded" }, el("p", {}, t("chatDegraded")),
    el("ul", {}, list.map((each) => el("li", { title: each.detail ?? "" }, el("b", {}, each.stage), `: ${t("chatLosses")[each.stage] ?? each.fallback ?? ""}`))));
}

function correction(judge, done, cancel) {
  const input = el("textarea", { rows: 3, maxlength: 4000, required: true });
  const keep = async (event) => {
    event.preventDefault();
    if (input.value.trim() && await judge("CORRECTED", { answer: input.value.trim() })) done(t("chatCorrected"));
  };
  const form = el("form", { class: "correction", onsubmit: keep },
    el("label", {}, t("chatCorrection"), input),
    el("div", { class: "acts" },
      el("button", { type: "submit", class: "primary" }, t("chatSaveCorrection")),
      el("button", { type: "button", class: "quiet", onclick: cancel }, t("chatCancel"))));
  return { form, input };
}

/** The buttons by which a person says what became of the answer. */
function verdict(answer, judge) {
  const place = el("div", { class: "verdict" });
  const done = (words) => {
    const told = el("p", { class: "hint", tabindex: "-1" }, words);
    place.replaceChildren(told);
    told.focus();
  };
  const right = el("button", { type: "button", class: "quiet right" }, t("chatRight"));
  const wrong = el("button", { type: "button", class: "quiet wrong" }, t("chatWrong"));
  const buttons = () => place.replaceChildren(...(answer.answerId ? [right, wrong] : [wrong]));
  right.addEventListener("click", async () => {
    if (await judge("ACCEPTED", { answerId: answer.answerId })) done(t("chatAccepted"));
  });
  wrong.addEventListener("click", () => {
    const { form, input } = correction(judge, done, () => {
      buttons();
      wrong.focus();
    });
    place.replaceChildren(form);
    input.focus();
  });
  buttons();
  return place;
}

/**
 * Returns the elements of an answer.
 *
 * `act.judge(verdict, given)` tells what became of it; `act.choose(option)` takes one of its options.
 */
export function answerBox(response, act) {
  const { answer, degraded = [] } = response;
  const citations = answer.citations ?? [];
  return [
    spoken(answer),
    answer.options?.length > 0 && el("ul", { class: "options" }, answer.options.map((option) =>
      el("li", {}, el("button", { type: "button", class: "quiet", onclick: () => act.choose(option) }, option)))),
    answer.handOver && handedOver(answer.handOver),
    degraded.length > 0 && lost(degraded),
    citations.length > 0 && el("details", { class: "sources" }, el("summary", {}, t("chatEvidence")(citations.length)),
      el("ul", { class: "evidence" }, citations.map(cited))),
    about(answer),
    answer.kind !== "ANSWER_KIND_ASK_BACK" && verdict(answer, act.judge),
  ];
}
