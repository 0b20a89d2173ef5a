// What reviewers say of a product: points for and against with their counts, and their own words.
import { ask } from "./api.js";
import { el } from "./dom.js";
import { current, number, t } from "./text.js";

const FEW = 3;

function point(each, language) {
  const said = each.examples?.[0]?.text;
  return el("li", {},
    el("b", { lang: language }, each.label),
    el("span", {}, t("pointCount")(number(each.reviewCount ?? 0), number(each.opposingCount ?? 0))),
    said && el("q", {}, said));
}

function side(words, points, style, language) {
  return points.length > 0 && el("div", { class: `side ${style}` },
    el("h4", {}, words), el("ul", {}, points.slice(0, FEW).map((each) => point(each, language))));
}

function told(answer) {
  const summary = answer.summary ?? {};
  const { pros = [], cons = [], languageCode } = summary;
  return [
    summary.overview && el("p", { lang: languageCode }, summary.overview),
    side(t("pros"), pros, "pro", languageCode),
    side(t("cons"), cons, "con", languageCode),
    !pros.length && !cons.length && (summary.sentences ?? []).slice(0, FEW).map((each) => el("q", {}, each.text)),
    summary.reviewCount > 0 && el("p", { class: "hint" }, t("reviewsRead")(number(summary.reviewCount))),
    answer.degraded?.length > 0 && el("p", { class: "hint" }, t("summaryLost")),
    !summary.reviewCount && !answer.degraded?.length && el("p", { class: "hint" }, t("noReviews")),
  ].flat().filter(Boolean);
}

/** A place that fills itself once the summary is there. */
export function reviewSummary(productId) {
  const place = el("div", { class: "opinions", "aria-live": "polite", "aria-busy": "true" }, el("p", { class: "hint" }, t("loading")));
  ask("summarise", { productId, languageCode: current() })
    .then((answer) => place.replaceChildren(...told(answer)))
    .catch((error) => {
      const words = error.status === "FAILED_PRECONDITION" ? t("noReviews") : t("errors")[error.status] ?? error.message;
      place.replaceChildren(el("p", { class: "hint" }, words));
    })
    .finally(() => place.removeAttribute("aria-busy"));
  return place;
}
