// Alerts as cards: since when, how much, what is said more often, and who says it.
import { el } from "../dom.js";
import { number, t } from "../text.js";
import { clock } from "./plot.js";

const bare = (code, prefix) => (code ?? "").replace(prefix, "");

function phrase(each) {
  return el("li", { class: "chip" }, each.text, el("small", {}, `×${number(each.textCount ?? 0)}`));
}

function example(mention) {
  return el("li", {}, el("q", { lang: mention.languageCode === "und" ? undefined : mention.languageCode }, mention.text),
    el("small", {}, [clock(mention.eventTime), mention.brand, mention.productId].filter(Boolean).join(" · ")));
}

/** Returns the card of an alert; `name(series)` says a series in the page's language. */
export function alertCard(alert, name) {
  const state = bare(alert.state, "ALERT_STATE_");
  const { phrases = [], examples = [], also = [] } = alert;
  return el("article", { class: `alert ${state.toLowerCase()}`, "data-alert": alert.id },
    el("h3", {}, name(alert.series), el("span", { class: "state" }, t("monitorStates")[state] ?? state)),
    el("p", {}, t("monitorSurge")(number(alert.negativeCount ?? 0), number(alert.textCount ?? 0), (alert.expectedNegativeCount ?? 0).toFixed(1))),
    el("p", { class: "hint" }, [t("monitorSince")(clock(alert.onsetTime), clock(alert.openTime)), alert.closeTime && t("monitorUntil")(clock(alert.closeTime))].filter(Boolean).join(" ")),
    also.length > 0 && el("p", { class: "hint" }, `${t("monitorAlso")}: ${also.map(name).join(", ")}`),
    phrases.length > 0 && [el("h4", {}, t("monitorPhrases")), el("ul", { class: "chips" }, phrases.map(phrase))],
    examples.length > 0 && el("details", { open: state === "OPEN" }, el("summary", {}, t("monitorExamples")), el("ul", { class: "examples-list" }, examples.map(example))));
}

/** A line of the log for a notice. */
export function noticeLine(notice, name) {
  const change = bare(notice.change, "ALERT_CHANGE_");
  const { alert } = notice;
  return el("li", { class: change.toLowerCase() },
    el("b", {}, `${t("monitorChanges")[change] ?? change}: ${name(alert.series)}`),
    el("span", {}, ` ${clock(alert.closeTime ?? alert.openTime)}`));
}
