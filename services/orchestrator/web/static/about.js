// What is said of a page as a whole: how the query was read, and what was lost.
import { el } from "./dom.js";
import { conditions, corrections, facts, highlighted } from "./query.js";
import { t, term } from "./text.js";
import { timings } from "./timings.js";

export function aboutPage(answer, search) {
  const query = answer.query;
  const list = answer.timings ?? [];
  return [
    query && el("div", { class: "reading" }, el("h2", { class: "hidden" }, t("read")), highlighted(query), conditions(answer)),
    query && corrections(query, search),
    el("details", {},
      el("summary", {}, t(query ? "details" : "madePage")),
      el("div", { class: "detail" },
        el("div", {}, el("h3", {}, t(query ? "read" : "details")), facts(answer)),
        list.length > 0 && el("div", {}, el("h3", {}, t("times")), timings(list)))),
  ].flat(Infinity).filter(Boolean);
}

function loss(degradation) {
  const cause = (degradation.cause ?? "").replace("DEGRADATION_CAUSE_", "");
  const stage = degradation.stage;
  return el("li", { title: degradation.detail ?? "" },
    el("b", {}, t("stages")[stage.split(".")[0]] ?? stage),
    `: ${t("losses")[stage] ?? degradation.fallback}`,
    t("causes")[cause] && el("small", {}, ` (${term("causes", cause)})`));
}

// Meaning always finds something; below this nobody would call it an answer.
const FAR = 0.25;

function isFar(answer) {
  const best = Math.max(...(answer.results ?? []).map((r) => r.confidence ?? 0), 0);
  return answer.query && best > 0 && best < FAR;
}

// Every reason says who wrote it: that the model had no time for some is no fault of the page.
const isTold = (d) => d.stage === "reason.model" && /DEADLINE|OVERLOADED/.test(d.cause);

/** What is to be said above the results; `again` loads them anew where the answer was cut off. */
export function notices(answer, again) {
  const lost = (answer.degraded ?? []).filter((d) => !isTold(d));
  const relaxed = answer.relaxedConstraints ?? [];
  return [
    lost.length > 0 && el("div", { class: "notice degraded" }, el("p", {}, t("degraded")), el("ul", {}, lost.map(loss))),
    relaxed.length > 0 && el("div", { class: "notice relaxed" }, el("p", {}, t("relaxed")),
      el("ul", { class: "chips" }, relaxed.map((c) => el("li", { class: "chip off" }, el("code", {}, c))))),
    answer.cutOff && el("div", { class: "notice cut", role: "alert" }, el("p", {}, t("cutOff")),
      el("button", { type: "button", onclick: again }, t("retry"))),
    isFar(answer) && el("div", { class: "notice far" }, el("p", {}, t("far"))),
  ].filter(Boolean);
}

/** What stands in the place of the results when there are none. */
export function nothing(shopIsEmpty) {
  return el("div", { class: "blank" },
    el("h2", {}, t(shopIsEmpty ? "emptyShopTitle" : "emptyTitle")),
    el("p", {}, t(shopIsEmpty ? "emptyShopText" : "emptyText")),
    shopIsEmpty && el("p", {}, el("code", {}, "wherefore import FILE")));
}
